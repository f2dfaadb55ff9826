import fc from "fast-check";
import jpegJs from "jpeg-js";
import { describe, expect, it } from "vitest";
import { createCodecs } from "../codecs.ts";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt } from "../formats.ts";
import { SurfaceHeap } from "../heap.ts";
import { JpegDecoder } from "./jpeg-decode.ts";
import { JpegHuffmanTable } from "./jpeg-huffman.ts";
import { loadImageModuleFromFile } from "../load.node.ts";
import { arbitrarySource, firstDifference, rgbFormats } from "../source.testing.ts";

const heap = new SurfaceHeap();
const encoder = createCodecs(heap, await loadImageModuleFromFile(heap)).encoders.jpeg!;
const decoder = new JpegDecoder();

/** A stream of ours for a 20 x 12 picture, and where its segments begin. */
function sample(): { stream: Uint8Array; at: (marker: number) => number } {
  const bytes = new Uint8Array(20 * 12 * 4).map((_, i) => (i * 7) ^ (i >> 5));
  const source = {
    format: BitmapFmt.Bit32,
    width: 20,
    height: 12,
    stride: 80,
    offset: 0,
    bytes,
    topDown: true,
  };
  const stream = encoder.encodeFrame(source)!.slice();
  const at = (marker: number): number =>
    stream.findIndex((byte, i) => byte === 0xff && stream[i + 1] === marker);
  return { stream, at };
}

/** The error that decoding ends with. */
function failure(stream: Uint8Array): ImageDecodeError {
  try {
    decoder.decode(stream);
  } catch (error) {
    expect(error).toBeInstanceOf(ImageDecodeError);
    return error as ImageDecodeError;
  }
  throw new Error("was decoded");
}

describe("JPEG decoding", () => {
  it("agrees with an independent decoder on luma, and on chroma but for how it is spread over the pixels", () => {
    fc.assert(
      fc.property(arbitrarySource(rgbFormats, 70), fc.constantFrom(100, 85, 40), (source, quality) => {
        encoder.quality = quality;
        const stream = encoder.encodeFrame(source)!.slice();
        const ours = decoder.decode(stream);
        const theirs = jpegJs.decode(stream, { useTArray: true, formatAsRGBA: true });
        expect(ours).toMatchObject({ width: theirs.width, height: theirs.height, topDown: true, format: 8 });
        // Green is mostly luma: the other decoder repeats chroma samples where ours interpolates.
        let sum = 0;
        for (let i = 0; i < theirs.data.length; i += 4) {
          const [r, g, b] = [0, 1, 2].map((c) => theirs.data[i + c] - ours.bytes[i + 2 - c]);
          sum += (0.299 * r + 0.587 * g + 0.114 * b) ** 2;
        }
        expect(Math.sqrt(sum / (theirs.width * theirs.height))).toBeLessThan(12);
      }),
      { numRuns: 100 },
    );
    encoder.quality = 85;
  });

  it("reuses the memory it is given", () => {
    const { stream } = sample();
    const into = new Uint8Array(4096);
    const image = decoder.decode(stream, { into });
    expect(image.bytes.buffer).toBe(into.buffer);
    expect(firstDifference(image.bytes, decoder.decode(stream).bytes)).toBe(-1);
  });

  it("says what it does not decode, and where", () => {
    const { stream, at } = sample();
    const frame = at(0xc0);
    for (const marker of [0xc2, 0xc3, 0xc5, 0xc9, 0xca]) {
      const other = stream.slice();
      other[frame + 1] = marker;
      expect(failure(other)).toMatchObject({ codec: "jpeg", offset: frame + 4 });
      expect(failure(other).message).toContain("progressive");
    }
    const twelve = stream.slice();
    [twelve[frame + 1], twelve[frame + 4]] = [0xc1, 12];
    expect(failure(twelve).message).toContain("12 bits per sample");
    const extended = stream.slice();
    extended[frame + 1] = 0xc1;
    expect(firstDifference(decoder.decode(extended).bytes, decoder.decode(stream).bytes)).toBe(-1);
  });

  it("refuses sizes that the stream cannot hold before it takes memory for them", () => {
    const { stream, at } = sample();
    const frame = at(0xc0);
    for (const [height, width] of [
      [0, 20],
      [12, 0],
      [65_535, 20],
      [32_767, 32_767],
      [8000, 8000],
    ]) {
      const other = stream.slice();
      new DataView(other.buffer).setUint16(frame + 5, height);
      new DataView(other.buffer).setUint16(frame + 7, width);
      expect(failure(other).message).toMatch(/size \d+x\d+ is/);
    }
  });

  it("refuses sampling factors that do not divide each other, and MCUs of more than ten blocks", () => {
    const { stream, at } = sample();
    const sampling = at(0xc0) + 11;
    const withFactors = (y: number, cb: number): Uint8Array => {
      const other = stream.slice();
      [other[sampling], other[sampling + 3]] = [y, cb];
      return other;
    };
    expect(failure(withFactors(0x31, 0x21)).message).toContain("sampling factors");
    expect(failure(withFactors(0x01, 0x11)).message).toContain("sampling factors");
    expect(failure(withFactors(0x51, 0x11)).message).toContain("sampling factors");
    expect(failure(withFactors(0x44, 0x11)).message).toContain("MCU of 18 blocks");
  });

  it("ends with an error wherever the stream ends early", () => {
    const { stream } = sample();
    for (let length = 0; length < stream.length; length++) {
      const error = failure(stream.subarray(0, length));
      expect(error.offset).toBeLessThanOrEqual(length);
    }
  });

  it("wants each component in one scan, with its tables", () => {
    const { stream, at } = sample();
    const scan = at(0xda);
    const unknown = stream.slice();
    unknown[scan + 5] = 9;
    expect(failure(unknown).message).toContain("component 9");
    const twice = stream.slice();
    twice[scan + 7] = twice[scan + 5];
    expect(failure(twice).message).toContain("there before");
    const tableless = stream.slice();
    tableless[scan + 6] = 0x33;
    expect(failure(tableless).message).toContain("tables are missing");
    // The last two bytes are EOI, which is all that follows the header here.
    const empty = new Uint8Array([...stream.subarray(0, scan), 0xff, 0xd9]);
    expect(failure(empty).message).toContain("ends before component 1");
  });

  it("refuses Huffman tables with more codes than their lengths can tell apart", () => {
    const counts = (...lengths: number[]) => Uint8Array.from({ length: 16 }, (_, i) => lengths[i] ?? 0);
    expect(() => new JpegHuffmanTable(counts(3), new Uint8Array(3))).toThrow(RangeError);
    expect(() => new JpegHuffmanTable(counts(1, 3), new Uint8Array(4))).toThrow(RangeError);
    expect(() => new JpegHuffmanTable(counts(1, 2), new Uint8Array(3))).not.toThrow();
    const { stream, at } = sample();
    const other = stream.slice();
    // Three codes of one bit; as many less of three bits.
    [other[at(0xc4) + 5], other[at(0xc4) + 7]] = [3, 2];
    expect(failure(other).message).toContain("Huffman table");
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, isPalette } from "../formats.ts";
import { LzDecoder } from "./lz-decode.ts";
import { LzEncoder, LzWorkspace } from "./lz-encode.ts";
import {
  arbitrarySource,
  canonicalPixels,
  firstDifference,
  paint,
  paletteFormats,
  rgbFormats,
} from "../source.testing.ts";
import type { ImageSource } from "../source.ts";

const work = new LzWorkspace();
const rgb = new LzEncoder("lz", work);
const plt = new LzEncoder("lz_plt", work);
const decoder = new LzDecoder();
const formats = [...rgbFormats, ...paletteFormats, BitmapFmt.Bit8A];

function encode(source: ImageSource): Uint8Array | undefined {
  const encoder = isPalette(source.format) ? plt : rgb;
  expect(encoder.accepts(source)).toBe(true);
  return encoder.encode(source);
}

describe("LZ", () => {
  it("returns the same pixels for every format, orientation and stride", () => {
    fc.assert(
      fc.property(arbitrarySource(formats), (source) => {
        const stream = encode(source);
        if (stream === undefined) return;
        const image = decoder.decode(stream);
        expect(image).toMatchObject({
          format: source.format,
          width: source.width,
          height: source.height,
          topDown: source.topDown,
        });
        expect(firstDifference(canonicalPixels(image), canonicalPixels(source))).toBe(-1);
      }),
      { numRuns: 500 },
    );
  });

  it("reaches back further than the two-byte distances", () => {
    const [width, height] = [60, 400];
    const bytes = new Uint8Array(width * height * 4);
    paint(bytes, width * 4, 4, 0, 5);
    bytes.copyWithin(width * height * 2, 0, 4000);
    const source = {
      format: BitmapFmt.Bit32,
      width,
      height,
      stride: width * 4,
      offset: 0,
      bytes,
      topDown: false,
    };
    const stream = encode(source);
    expect(stream?.length).toBeLessThan(width * height * 3.1 + 28 - 2500);
    expect(firstDifference(canonicalPixels(decoder.decode(stream ?? bytes)), canonicalPixels(source))).toBe(
      -1,
    );
  });

  it("codes an alpha plane alone for JPEG_ALPHA", () => {
    fc.assert(
      fc.property(arbitrarySource([BitmapFmt.Rgba]), (source) => {
        const image = decoder.decode(work.encodeAlpha(source));
        expect(image.bytes).toEqual(alphaOf(source));
      }),
    );
  });

  it("answers broken streams with an ImageDecodeError and nothing else", () => {
    fc.assert(
      fc.property(
        arbitrarySource(formats, 30),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (source, edits, cut) => {
          const stream = encode(source)?.slice();
          if (stream === undefined) return;
          for (const [at, value] of edits) stream[at % stream.length] = value;
          const end = cut % 3 === 0 ? cut % stream.length : stream.length;
          try {
            decoder.decode(stream.subarray(0, end));
          } catch (error) {
            expect(error).toBeInstanceOf(ImageDecodeError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** Alpha bytes in memory row order. */
function alphaOf(source: ImageSource): Uint8Array {
  const out = new Uint8Array(source.width * source.height);
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / source.width);
    out[i] = source.bytes[source.offset + row * source.stride + 4 * (i % source.width) + 3];
  }
  return out;
}

import { createRequire } from "node:module";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageDecodeError } from "../error.ts";
import { sourceBytes } from "../source.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { SurfaceHeap } from "../heap.ts";
import { loadImageModuleFromFile } from "../load.node.ts";
import { Lz4Decoder } from "./lz4-decode.ts";
import { Lz4Encoder } from "./lz4-encode.ts";
import { arbitrarySource, firstDifference, paint, rgbFormats } from "../source.testing.ts";
import { WasmLz4Encoder } from "../wasm-encoders.ts";
import { WasmWorkspace } from "../wasm-workspace.ts";
import { rowBytes } from "../formats.ts";

/** Another decoder; its package has no types. */
const { decompressBlock } = createRequire(import.meta.url)("lz4js") as {
  decompressBlock(from: Uint8Array, to: Uint8Array, start: number, length: number, at: number): number;
};
const heap = new SurfaceHeap();
const encoders: [string, ImageEncoder][] = [
  ["plain", new Lz4Encoder()],
  ["WebAssembly", new WasmLz4Encoder(new WasmWorkspace(heap, await loadImageModuleFromFile(heap)))],
];
const decoder = new Lz4Decoder();

/** Memory-order rows without padding; LZ4 keeps pad bytes too. */
function packed(source: ImageSource): Uint8Array {
  const row = rowBytes(source.format, source.width);
  const out = new Uint8Array(row * source.height);
  for (let y = 0; y < source.height; y++) {
    const at = source.offset + y * source.stride;
    out.set(source.bytes.subarray(at, at + row), y * row);
  }
  return out;
}

describe.each(encoders)("LZ4, %s", (_, encoder) => {
  it("returns the same bytes, in our decoder and in another", () => {
    fc.assert(
      fc.property(arbitrarySource(rgbFormats, 120), (source) => {
        const stream = encoder.encode(source);
        if (stream === undefined) return;
        const image = decoder.decode(stream, { width: source.width, height: source.height });
        expect(image).toMatchObject({ format: source.format, topDown: source.topDown });
        expect(firstDifference(image.bytes, packed(source))).toBe(-1);
        const other = new Uint8Array(sourceBytes(source));
        decompressBlock(stream.slice(6), other, 0, stream.length - 6, 0);
        expect(firstDifference(other, packed(source))).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it("returns the same bytes of pictures larger than what its tables can tell apart", () => {
    for (const format of rgbFormats) {
      for (let kind = 0; kind < 6; kind++) {
        const [width, height, stride] = [509, 300, rowBytes(format, 509)];
        const bytes = new Uint8Array(stride * height);
        paint(bytes, stride, stride / width, kind, 5);
        const source = { format, width, height, stride, offset: 0, bytes, topDown: true };
        const stream = encoder.encode(source);
        if (stream === undefined) continue;
        expect(firstDifference(decoder.decode(stream, { width, height }).bytes, bytes)).toBe(-1);
      }
    }
  });
});

describe("LZ4 decoding", () => {
  it("lets a chunk refer to the chunks before it", () => {
    // Six literals; then, in a chunk of its own, a match (distance 6, length 8) and the last literals.
    const first = [0x60, 1, 2, 3, 4, 5, 6];
    const second = [0x04, 6, 0, 0x60, 9, 9, 9, 9, 9, 9];
    const stream = Uint8Array.of(1, 8, 0, 0, 0, first.length, ...first, 0, 0, 0, second.length, ...second);
    const pixels = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 9, 9, 9, 9, 9, 9];
    expect([...decoder.decode(stream, { width: 5, height: 1 }).bytes]).toEqual(pixels);
    expect(() => decoder.decode(stream, { width: 6, height: 1 })).toThrow(ImageDecodeError);
    expect(() => decoder.decode(stream, { width: 4, height: 1 })).toThrow(ImageDecodeError);
  });

  it("answers broken streams with an ImageDecodeError and nothing else", () => {
    fc.assert(
      fc.property(
        arbitrarySource(rgbFormats, 40),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (source, edits, cut) => {
          const stream = encoders[1][1].encode(source)?.slice();
          if (stream === undefined) return;
          for (const [at, value] of edits) stream[at % stream.length] = value;
          try {
            decoder.decode(stream.subarray(0, cut % 3 === 0 ? cut % stream.length : stream.length), {
              width: source.width,
              height: source.height,
            });
          } catch (error) {
            expect(error).toBeInstanceOf(ImageDecodeError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

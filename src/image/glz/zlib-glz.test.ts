import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { zlibSync } from "fflate";
import { describe, expect, it } from "vitest";
import { createCodecs, createDecoders } from "../codecs.ts";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType } from "../formats.ts";
import { GlzDecoder } from "./glz-decode.ts";
import { GlzDictionary } from "./glz-dictionary.ts";
import { SurfaceHeap } from "../heap.ts";
import { ZLIB_GLZ_MAX_BYTES, ZLIB_GLZ_MIN_BYTES } from "../limits.ts";
import { arbitrarySource, canonicalPixels, firstDifference, paint, rgbFormats } from "../source.testing.ts";
import type { ImageSource } from "../source.ts";
import { ZlibGlzDecoder } from "./zlib-glz.ts";

const codecs = createCodecs(new SurfaceHeap());

/** A picture that GLZ leaves something to gain in. */
function example(seed: number): ImageSource {
  const bytes = new Uint8Array(120 * 80 * 4);
  paint(bytes, 480, 4, 1, seed);
  return { format: BitmapFmt.Bit32, width: 120, height: 80, stride: 480, offset: 0, bytes, topDown: true };
}

function sample(): { stream: Uint8Array; innerBytes: number } {
  using dictionary = new GlzDictionary(codecs.heap, 1, 1 << 17);
  const encoder = codecs.zlibGlz(dictionary);
  const stream = encoder.encode(example(3))!.slice();
  expect(encoder.imageType).toBe(ImageType.ZlibGlzRgb);
  return { stream, innerBytes: encoder.innerBytes! };
}

describe("ZLIB_GLZ", () => {
  it("returns the same pixels, wrapped or not, over one window", () => {
    const types = new Set<number>();
    fc.assert(
      fc.property(fc.array(arbitrarySource(rgbFormats, 100), { minLength: 1, maxLength: 8 }), (sources) => {
        using dictionary = new GlzDictionary(codecs.heap, 1, 1 << 17);
        const encoder = codecs.zlibGlz(dictionary);
        const decoders = createDecoders();
        // The second time they are references to the first.
        for (const source of [...sources, ...sources]) {
          const stream = encoder.encode(source)?.slice();
          if (stream === undefined) continue;
          const { imageType, innerBytes } = encoder;
          types.add(imageType);
          if (imageType === ImageType.ZlibGlzRgb) {
            expect(innerBytes).toBeGreaterThanOrEqual(ZLIB_GLZ_MIN_BYTES);
            expect(stream.length).toBeLessThan(innerBytes!);
          }
          const image = decoders.get(imageType)!.decode(stream, { innerBytes });
          expect(image.imageType).toBe(imageType);
          expect(firstDifference(canonicalPixels(image), canonicalPixels(source))).toBe(-1);
        }
      }),
      { numRuns: 100 },
    );
    expect([...types].sort()).toEqual([ImageType.GlzRgb, ImageType.ZlibGlzRgb].sort());
  });

  it("decodes what another zlib made, at any level", () => {
    using dictionary = new GlzDictionary(codecs.heap, 1, 1 << 17);
    const glz = codecs.glz(dictionary).encode(example(5))!.slice();
    for (let level = 0; level <= 9; level++) {
      const image = new ZlibGlzDecoder(new GlzDecoder()).decode(deflateSync(glz, { level }), {
        innerBytes: glz.length,
      });
      expect(firstDifference(canonicalPixels(image), canonicalPixels(example(5)))).toBe(-1);
    }
  });

  it("refuses a size that is not the stream's, and every truncation", () => {
    const { stream, innerBytes } = sample();
    const decoder = new ZlibGlzDecoder(new GlzDecoder());
    for (const wrong of [innerBytes - 1, innerBytes + 1, 0, -1, NaN, 0xffffffff, ZLIB_GLZ_MAX_BYTES + 1])
      expect(() => decoder.decode(stream, { innerBytes: wrong })).toThrow(ImageDecodeError);
    expect(() => decoder.decode(stream)).toThrow(ImageDecodeError);
    for (let length = 0; length < stream.length; length++)
      expect(() => decoder.decode(stream.subarray(0, length), { innerBytes })).toThrow(ImageDecodeError);
    const checked = stream.slice();
    checked[checked.length - 1] ^= 1;
    expect(() => decoder.decode(checked, { innerBytes })).toThrow(/Adler-32/);
  });

  it("stops a bomb soon after the size that was announced", () => {
    const bomb = zlibSync(new Uint8Array(16 << 20), { level: 9 });
    const decoder = new ZlibGlzDecoder(new GlzDecoder());
    // At its first piece: 4 KiB, which make 4 MiB at most.
    expect(() => decoder.decode(bomb, { innerBytes: 1000 })).toThrow(/more than 1000 bytes \(at byte 0\)/);
  });
});

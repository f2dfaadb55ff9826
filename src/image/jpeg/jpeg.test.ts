import fc from "fast-check";
import jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { createCodecs } from "../codecs.ts";
import { SurfaceHeap } from "../heap.ts";
import { BitmapFmt } from "../formats.ts";
import { loadImageModuleFromFile } from "../load.node.ts";

const heap = new SurfaceHeap();
const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
const encoder = codecs.encoders.jpeg!;

/** Gentle slopes: what JPEG with halved chroma keeps closely at any size, so that errors of ours stand out. */
function smooth(x: number, y: number): [number, number, number] {
  return [40 + 2 * x, 60 + 2 * y, 50 + x + y];
}

describe("JPEG", () => {
  test("an independent decoder gets the picture back, in every format, size and orientation", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(BitmapFmt.Bit32, BitmapFmt.Bit24, BitmapFmt.Bit16),
        fc.boolean(),
        fc.nat(9),
        (width, height, format, topDown, pad) => {
          const size = format === BitmapFmt.Bit32 ? 4 : format === BitmapFmt.Bit24 ? 3 : 2;
          const stride = width * size + pad;
          const bytes = new Uint8Array(stride * height + 4);
          for (let y = 0; y < height; y++) {
            const at = (topDown ? y : height - 1 - y) * stride;
            for (let x = 0; x < width; x++) {
              const [r, g, b] = smooth(x, y);
              if (size === 2) {
                const word = ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
                bytes[at + x * 2] = word & 255;
                bytes[at + x * 2 + 1] = word >> 8;
              } else bytes.set([b, g, r], at + x * size);
            }
          }
          const stream = encoder.encodeFrame({ format, width, height, stride, offset: 0, bytes, topDown })!;
          const picture = jpeg.decode(stream.slice(), { useTArray: true, formatAsRGBA: true });
          expect([picture.width, picture.height]).toEqual([width, height]);
          let sum = 0;
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              smooth(x, y).forEach((value, i) => {
                sum += (picture.data[(y * width + x) * 4 + i] - value) ** 2;
              });
            }
          }
          // 16 bit pixels lose three bits of each colour before JPEG does anything.
          expect(Math.sqrt(sum / (width * height * 3))).toBeLessThan(size === 2 ? 7 : 4);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("noise at any quality decodes without a complaint and within the announced bound", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 40 * 24 * 4, maxLength: 40 * 24 * 4 }),
        fc.integer({ min: 1, max: 100 }),
        (bytes, quality) => {
          encoder.quality = quality;
          const stream = encoder.encodeFrame({
            format: BitmapFmt.Bit32,
            width: 40,
            height: 24,
            stride: 160,
            offset: 0,
            bytes,
            topDown: true,
          })!;
          expect(jpeg.decode(stream.slice(), { useTArray: true, tolerantDecoding: false }).height).toBe(24);
        },
      ),
      { numRuns: 60 },
    );
    encoder.quality = 85;
  });
});

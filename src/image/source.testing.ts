import * as fc from "fast-check";
import { BitmapFmt, bitsPerPixel, rowBytes } from "./formats.ts";
import type { DecodedImage, ImageSource } from "./source.ts";

/** Fills `bytes` with pictures of the kinds desktops show; `kind` picks one, `seed` varies it. */
export function paint(
  bytes: Uint8Array,
  stride: number,
  pixelBytes: number,
  kind: number,
  seed: number,
): void {
  let state = (seed >>> 0) + 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  const palette = Array.from({ length: 4 }, () => random() & 0xffffff);
  let run = 0;
  let colour = 0;
  for (let i = 0; i < bytes.length; i++) {
    const x = Math.floor((i % stride) / pixelBytes);
    const y = Math.floor(i / stride);
    const lane = (i % stride) % pixelBytes;
    if (lane === 0 && run-- <= 0) {
      run = random() % (kind === 3 ? 40 : 6);
      colour = palette[random() & 3];
    }
    if (kind === 0) bytes[i] = random();
    else if (kind === 1) bytes[i] = x * 3 + y * 2 + lane * 7;
    else if (kind === 2) bytes[i] = ((x >> 3) ^ (y >> 3)) & 1 ? seed >> lane : 0xff;
    else if (kind === 3 || kind === 4) bytes[i] = colour >> (8 * lane);
    else bytes[i] = y % 5 < 3 || i < stride ? (random() & 7 ? x * lane : random()) : bytes[i - stride];
  }
}

/** Sources of the given formats: 1x1 upwards, padded and negative strides, both orientations, noise to flat areas. */
export function arbitrarySource(
  formats: readonly number[],
  maxSide = 70,
  minSide = 1,
): fc.Arbitrary<ImageSource> {
  return fc
    .record({
      format: fc.constantFrom(...formats),
      width: fc.integer({ min: minSide, max: maxSide }),
      height: fc.integer({ min: minSide, max: maxSide }),
      padding: fc.constantFrom(0, 0, 1, 3, 4, 64),
      offset: fc.constantFrom(0, 0, 1, 4, 16),
      backwards: fc.boolean(),
      topDown: fc.boolean(),
      kind: fc.integer({ min: 0, max: 5 }),
      seed: fc.integer(),
    })
    .map(({ format, width, height, padding, offset, backwards, topDown, kind, seed }) => {
      const stride = rowBytes(format, width) + padding;
      const pixels = new Uint8Array(stride * height);
      paint(pixels, stride, Math.max(1, bitsPerPixel(format) >> 3), kind, seed);
      const bytes = new Uint8Array(offset + pixels.length);
      bytes.set(pixels, offset);
      const first = backwards ? offset + stride * (height - 1) : offset;
      return { format, width, height, stride: backwards ? -stride : stride, offset: first, bytes, topDown };
    });
}

/** All formats with colour channels. */
export const rgbFormats = [BitmapFmt.Bit16, BitmapFmt.Bit24, BitmapFmt.Bit32, BitmapFmt.Rgba];
/** All palette formats. */
export const paletteFormats = [
  BitmapFmt.Bit1Le,
  BitmapFmt.Bit1Be,
  BitmapFmt.Bit4Le,
  BitmapFmt.Bit4Be,
  BitmapFmt.Bit8,
];

/** What must survive lossless coding: display-order rows without padding, pad bytes and the top bit of RGB16 cleared. */
export function canonicalPixels(image: ImageSource | DecodedImage): Uint8Array {
  const length = rowBytes(image.format, image.width);
  const out = new Uint8Array(length * image.height);
  for (let y = 0; y < image.height; y++) {
    const row = image.topDown ? y : image.height - 1 - y;
    const at = image.offset + row * image.stride;
    out.set(image.bytes.subarray(at, at + length), y * length);
  }
  if (image.format === BitmapFmt.Bit32) for (let i = 3; i < out.length; i += 4) out[i] = 0;
  if (image.format === BitmapFmt.Bit16) for (let i = 1; i < out.length; i += 2) out[i] &= 0x7f;
  return out;
}

/** Index of the first byte that differs, -1 if both are equal: quicker than a deep comparison and clearer in a report. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

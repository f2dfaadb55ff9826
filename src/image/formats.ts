import { BitmapFmt } from "../protocol/enums.ts";

export { BitmapFmt, ImageType } from "../protocol/enums.ts";

const bits = [0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8];

/** Bits per pixel of a SpiceBitmapFmt; 0 for an unknown format. */
export function bitsPerPixel(format: number): number {
  return bits[format] ?? 0;
}

/** Bytes that one row of `width` pixels needs, without padding. */
export function rowBytes(format: number, width: number): number {
  return (width * bitsPerPixel(format) + 7) >>> 3;
}

/** True for the formats whose pixels are indices into a palette. */
export function isPalette(format: number): boolean {
  return format >= BitmapFmt.Bit1Le && format <= BitmapFmt.Bit8;
}

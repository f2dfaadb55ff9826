/** SpiceBitmapFmt (spice.proto `bitmap_fmt`): how pixels lie in memory. */
export const BitmapFmt = {
  PLT1_LE: 1,
  PLT1_BE: 2,
  PLT4_LE: 3,
  PLT4_BE: 4,
  PLT8: 5,
  RGB16: 6,
  RGB24: 7,
  RGB32: 8,
  RGBA: 9,
  A8: 10,
} as const;
export type BitmapFmt = (typeof BitmapFmt)[keyof typeof BitmapFmt];

/** SpiceImageType (spice.proto `image_type`): how the data of a SpiceImage is coded. */
export const ImageType = {
  BITMAP: 0,
  QUIC: 1,
  LZ_PLT: 100,
  LZ_RGB: 101,
  GLZ_RGB: 102,
  FROM_CACHE: 103,
  SURFACE: 104,
  JPEG: 105,
  FROM_CACHE_LOSSLESS: 106,
  ZLIB_GLZ_RGB: 107,
  JPEG_ALPHA: 108,
  LZ4: 109,
} as const;
export type ImageType = (typeof ImageType)[keyof typeof ImageType];

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
  return format >= BitmapFmt.PLT1_LE && format <= BitmapFmt.PLT8;
}

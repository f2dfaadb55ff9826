import { BitmapFmt as Wire, ImageType as WireType } from "../protocol/enums.ts";

/** SpiceBitmapFmt by the names of what it holds: palette indices, colours, alpha. */
export const BitmapFmt = {
  PLT1_LE: Wire.Bit1Le,
  PLT1_BE: Wire.Bit1Be,
  PLT4_LE: Wire.Bit4Le,
  PLT4_BE: Wire.Bit4Be,
  PLT8: Wire.Bit8,
  RGB16: Wire.Bit16,
  RGB24: Wire.Bit24,
  RGB32: Wire.Bit32,
  RGBA: Wire.Rgba,
  A8: Wire.Bit8A,
} as const;
export type BitmapFmt = (typeof BitmapFmt)[keyof typeof BitmapFmt];

/** SpiceImageType: how the data of a SpiceImage is coded. */
export const ImageType = {
  BITMAP: WireType.Bitmap,
  QUIC: WireType.Quic,
  LZ_PLT: WireType.LzPlt,
  LZ_RGB: WireType.LzRgb,
  GLZ_RGB: WireType.GlzRgb,
  FROM_CACHE: WireType.FromCache,
  SURFACE: WireType.Surface,
  JPEG: WireType.Jpeg,
  FROM_CACHE_LOSSLESS: WireType.FromCacheLossless,
  ZLIB_GLZ_RGB: WireType.ZlibGlzRgb,
  JPEG_ALPHA: WireType.JpegAlpha,
  LZ4: WireType.Lz4,
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

import { BitmapFmt } from "../formats.ts";

/** "  ZL": the first word of an LZ or GLZ stream (big-endian, as all of the header). */
export const LZ_MAGIC = 0x20205a4c;
export const LZ_VERSION = 0x00010001;
/** Seven words: magic, version, type, width, height, stride, top_down. */
export const LZ_HEADER_BYTES = 28;

/** Type field of an LZ header. XXXA is an alpha plane alone, for JPEG_ALPHA. */
export const LzImageType = {
  PLT1_LE: 1,
  PLT1_BE: 2,
  PLT4_LE: 3,
  PLT4_BE: 4,
  PLT8: 5,
  RGB16: 6,
  RGB24: 7,
  RGB32: 8,
  RGBA: 9,
  XXXA: 10,
  A8: 11,
} as const;

/** LZ type of a bitmap format. The numbers agree but for 8BIT_A. */
export function lzTypeOf(format: number): number {
  return format === BitmapFmt.Bit8A ? LzImageType.A8 : format;
}

/** Bitmap format of a decoded LZ type, 0 for an unknown type. An XXXA plane decodes to 8BIT_A. */
export function lzFormatOf(type: number): number {
  if (type >= LzImageType.PLT1_LE && type <= LzImageType.RGBA) return type;
  return type === LzImageType.XXXA || type === LzImageType.A8 ? BitmapFmt.Bit8A : 0;
}

/** Longest run of literals behind one control byte. */
export const LZ_MAX_LITERALS = 32;
/** Distances below this (less one) take two bytes, others four. */
export const LZ_NEAR = 8191;
/** Largest distance less one. */
export const LZ_FAR = 65_535 + LZ_NEAR - 1;

/** Longest stream body of `count` units: all literals, a control byte for each 32 of them, and slack for wide stores. */
export function lzWorstBytes(count: number, literal: number): number {
  return count * literal + Math.ceil(count / LZ_MAX_LITERALS) + 64;
}

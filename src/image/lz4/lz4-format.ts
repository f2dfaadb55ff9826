import { BitmapFmt } from "../formats.ts";

/** Top-down flag and SpiceBitmapFmt, a byte each, before the first chunk. */
export const LZ4_HEADER_BYTES = 2;
/** Big-endian u32 before each chunk: length of its LZ4 block. */
export const LZ4_CHUNK_BYTES = 4;

/** The formats that SPICE sends as LZ4. */
export function isLz4Format(format: number): boolean {
  return format >= BitmapFmt.Bit16 && format <= BitmapFmt.Rgba;
}

/** Longest block of `length` bytes. */
export function lz4WorstBytes(length: number): number {
  return length + Math.ceil(length / 255) + 64;
}

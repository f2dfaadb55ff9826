import { BitmapFmt, isPalette, rowBytes } from "./formats.ts";
import type { ImageSource } from "./source.ts";

/**
 * The LZ family matches *units*: a unit is a colour 0x00RRGGBB of the 24- and 32-bit formats, a 15-bit pixel of RGB16 (the top bit
 * carries nothing), or one byte of the palette formats, of 8BIT_A and of an alpha plane. Units lie in memory row order, without
 * padding, one u32 each: equal units are equal numbers.
 */
export function unitsPerRow(format: number, width: number): number {
  return isPalette(format) ? rowBytes(format, width) : width;
}

/** Bytes of a literal unit in a stream: 3 (B, G, R), 2 (high byte first) or 1. */
export function literalBytes(format: number): 1 | 2 | 3 {
  if (format === BitmapFmt.Bit16) return 2;
  return format === BitmapFmt.Bit24 || format === BitmapFmt.Bit32 || format === BitmapFmt.Rgba ? 3 : 1;
}

/** What is subtracted from a match length of units with `literal` bytes: shorter matches would gain nothing. */
export function lengthBias(literal: 1 | 2 | 3): number {
  return 3 - literal;
}

/** Unpacks the units of a source to `out[at..]`. */
export function readUnits(source: ImageSource, out: Uint32Array, at: number): void {
  const { format, bytes, height, stride, offset } = source;
  const count = unitsPerRow(format, source.width);
  for (let row = 0; row < height; row++) {
    let p = offset + row * stride;
    const end = at + count;
    switch (format) {
      case BitmapFmt.Bit16:
        for (; at < end; p += 2) out[at++] = (bytes[p] | (bytes[p + 1] << 8)) & 0x7fff;
        break;
      case BitmapFmt.Bit24:
        for (; at < end; p += 3) out[at++] = bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16);
        break;
      case BitmapFmt.Bit32:
      case BitmapFmt.Rgba:
        for (; at < end; p += 4) out[at++] = bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16);
        break;
      default:
        for (; at < end; p++) out[at++] = bytes[p];
    }
  }
}

/** Unpacks the alpha bytes of a 32-bit source, one per unit, to `out[at..]`. */
export function readAlphaUnits(source: ImageSource, out: Uint32Array, at: number): void {
  const { bytes, width, height, stride, offset } = source;
  for (let row = 0; row < height; row++) {
    let p = offset + row * stride + 3;
    for (let x = 0; x < width; x++, p += 4) out[at++] = bytes[p];
  }
}

/** Packs `count` decoded units into the pixels of `format` at the start of `out`; pad and alpha bytes become 0. */
export function writeUnits(
  format: number,
  units: Uint32Array,
  at: number,
  count: number,
  out: Uint8Array,
): void {
  const literal = literalBytes(format);
  let p = 0;
  for (const end = at + count; at < end; at++) {
    const unit = units[at];
    out[p++] = unit;
    if (literal > 1) out[p++] = unit >> 8;
    if (literal > 2) {
      out[p++] = unit >> 16;
      if (format !== BitmapFmt.Bit24) out[p++] = 0;
    }
  }
}

/** Puts decoded alpha units into the fourth byte of 32-bit pixels. */
export function writeAlphaUnits(units: Uint32Array, at: number, count: number, out: Uint8Array): void {
  for (let i = 0; i < count; i++) out[4 * i + 3] = units[at + i];
}

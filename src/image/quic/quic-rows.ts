import { BitmapFmt } from "../formats.ts";
import { QuicImageType } from "./quic-model.ts";
import type { ImageSource } from "../source.ts";

/** QUIC type of a bitmap format, 0 where QUIC has none. */
export function quicTypeOf(format: number): number {
  switch (format) {
    case BitmapFmt.Bit16:
      return QuicImageType.RGB16;
    case BitmapFmt.Bit24:
      return QuicImageType.RGB24;
    case BitmapFmt.Bit32:
      return QuicImageType.RGB32;
    case BitmapFmt.Rgba:
      return QuicImageType.RGBA;
    default:
      return 0;
  }
}

/** Bitmap format of a decoded QUIC type, 0 for an unknown type. */
export function quicFormatOf(type: number): number {
  return [0, BitmapFmt.Bit8A, BitmapFmt.Bit16, BitmapFmt.Bit24, BitmapFmt.Bit32, BitmapFmt.Rgba][type] ?? 0;
}

/**
 * Unpacks the colours of display row `y` (0 = top) to one number per pixel: 0x00RRGGBB, and for RGB16 the three 5-bit channels
 * in the same three bytes, so that equal numbers are equal colours. Fills `alpha`, if given, with the fourth byte.
 */
export function readQuicRow(
  source: ImageSource,
  y: number,
  out: Uint32Array,
  alpha: Uint32Array | undefined,
): void {
  const { bytes, width } = source;
  const row = source.topDown ? y : source.height - 1 - y;
  let at = source.offset + row * source.stride;
  if (source.format === BitmapFmt.Bit16) {
    for (let x = 0; x < width; x++, at += 2) {
      const p = bytes[at] | (bytes[at + 1] << 8);
      out[x] = ((p << 6) & 0x1f0000) | ((p << 3) & 0x1f00) | (p & 0x1f);
    }
    return;
  }
  const step = source.format === BitmapFmt.Bit24 ? 3 : 4;
  for (let x = 0; x < width; x++, at += step) {
    out[x] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    if (alpha !== undefined) alpha[x] = bytes[at + 3];
  }
}

/** The inverse of readQuicRow for a decoded, top-down image of QUIC `type`, at byte `at`. */
export function writeQuicRow(
  type: number,
  row: Uint32Array,
  alpha: Uint32Array,
  width: number,
  out: Uint8Array,
  at: number,
): void {
  for (let x = 0; x < width; x++) {
    const p = row[x];
    switch (type) {
      case QuicImageType.GRAY:
        out[at++] = p;
        break;
      case QuicImageType.RGB16: {
        const value = ((p >> 6) & 0x7c00) | ((p >> 3) & 0x3e0) | (p & 0x1f);
        out[at++] = value;
        out[at++] = value >> 8;
        break;
      }
      default:
        out[at++] = p;
        out[at++] = p >> 8;
        out[at++] = p >> 16;
        if (type !== QuicImageType.RGB24) out[at++] = type === QuicImageType.RGBA ? alpha[x] : 0;
    }
  }
}

import { BitmapFmt, SurfaceFmt } from "../protocol/enums.ts";

export { BitmapFmt, SurfaceFmt };

/** Bits of one pixel of a surface; 0 for an unknown SpiceSurfaceFmt. */
export function surfaceBits(format: number): number {
  switch (format) {
    case SurfaceFmt.A1:
      return 1;
    case SurfaceFmt.A8:
      return 8;
    case SurfaceFmt.Rgb555:
    case SurfaceFmt.Rgb565:
      return 16;
    case SurfaceFmt.Xrgb32:
    case SurfaceFmt.Argb32:
      return 32;
    default:
      return 0;
  }
}

const bitmapBitsByFormat = [0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8];

/** Bits of one pixel of a bitmap; 0 for an unknown SpiceBitmapFmt. */
export function bitmapBits(format: number): number {
  return bitmapBitsByFormat[format] ?? 0;
}

/** The surface format that holds the pixels of a non-palette bitmap as they are; undefined for palettes and 24 bits. */
export function surfaceFormatOfBitmap(format: number): number | undefined {
  switch (format) {
    case BitmapFmt.Bit16:
      return SurfaceFmt.Rgb555;
    case BitmapFmt.Bit32:
      return SurfaceFmt.Xrgb32;
    case BitmapFmt.Rgba:
      return SurfaceFmt.Argb32;
    case BitmapFmt.Bit8A:
      return SurfaceFmt.A8;
    default:
      return undefined;
  }
}

/** Five bits to eight by repeating the high ones. */
function widen5(value: number): number {
  return (value << 3) | (value >> 2);
}

/** 555 to 0x00RRGGBB. */
export function rgbFrom555(pixel: number): number {
  return (widen5((pixel >> 10) & 31) << 16) | (widen5((pixel >> 5) & 31) << 8) | widen5(pixel & 31);
}

/** 565 to 0x00RRGGBB. */
export function rgbFrom565(pixel: number): number {
  const green = (pixel >> 5) & 63;
  return (widen5((pixel >> 11) & 31) << 16) | (((green << 2) | (green >> 4)) << 8) | widen5(pixel & 31);
}

/** 0xxxRRGGBB to 555, low bits cut off. */
export function rgb555From(rgb: number): number {
  return ((rgb >> 3) & 0x1f) | ((rgb >> 6) & 0x3e0) | ((rgb >> 9) & 0x7c00);
}

/** 0xxxRRGGBB to 565, low bits cut off. */
export function rgb565From(rgb: number): number {
  return ((rgb >> 3) & 0x1f) | ((rgb >> 5) & 0x7e0) | ((rgb >> 8) & 0xf800);
}

/** Raw pixels of `format` in `row[0..count)` become 0xAARRGGBB in place; formats without alpha are opaque. */
export function rowToArgb(row: Uint32Array, count: number, format: number): void {
  switch (format) {
    case SurfaceFmt.Argb32:
      return;
    case SurfaceFmt.Xrgb32:
      for (let i = 0; i < count; i++) row[i] |= 0xff00_0000;
      return;
    case SurfaceFmt.Rgb555:
      for (let i = 0; i < count; i++) row[i] = rgbFrom555(row[i]) | 0xff00_0000;
      return;
    case SurfaceFmt.Rgb565:
      for (let i = 0; i < count; i++) row[i] = rgbFrom565(row[i]) | 0xff00_0000;
      return;
    case SurfaceFmt.A8:
      for (let i = 0; i < count; i++) row[i] <<= 24;
      return;
    default:
      for (let i = 0; i < count; i++) row[i] = row[i] & 1 ? 0xff00_0000 : 0;
  }
}

/** 0xAARRGGBB in `row[0..count)` become raw pixels of `format` in place; the pad of xRGB becomes 0. */
export function rowFromArgb(row: Uint32Array, count: number, format: number): void {
  switch (format) {
    case SurfaceFmt.Argb32:
      return;
    case SurfaceFmt.Xrgb32:
      for (let i = 0; i < count; i++) row[i] &= 0xff_ffff;
      return;
    case SurfaceFmt.Rgb555:
      for (let i = 0; i < count; i++) row[i] = rgb555From(row[i]);
      return;
    case SurfaceFmt.Rgb565:
      for (let i = 0; i < count; i++) row[i] = rgb565From(row[i]);
      return;
    case SurfaceFmt.A8:
      for (let i = 0; i < count; i++) row[i] >>>= 24;
      return;
    default:
      for (let i = 0; i < count; i++) row[i] >>>= 31;
  }
}

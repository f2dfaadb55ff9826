// Pixels to u32 units, as units.ts describes them.

/** What unpackRow makes units of: see its cases. */
export const UNPACK_BYTES = 0;
export const UNPACK_CHANNELS = 1;
export const UNPACK_RGB24 = 2;
export const UNPACK_RGB32 = 3;
export const UNPACK_ALPHA = 4;
export const UNPACK_RGB16 = 5;

/** Writes `count` units at `out`, and up to three more. Reads up to 15 bytes beyond the row. */
export function unpackRow(how: i32, from: usize, count: i32, out: usize): void {
  const end = out + (count << 2);
  switch (how) {
    case UNPACK_BYTES:
      for (; out < end; out += 16, from += 4) {
        v128.store(out, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from))));
      }
      break;
    case UNPACK_CHANNELS:
      // x1 R5 G5 B5 to one byte for each channel.
      for (; out < end; out += 16, from += 8) {
        const p = v128.load16x4_u(from);
        const r = v128.and(i32x4.shl(p, 6), i32x4.splat(0x1f0000));
        const g = v128.and(i32x4.shl(p, 3), i32x4.splat(0x1f00));
        v128.store(out, v128.or(v128.or(r, g), v128.and(p, i32x4.splat(0x1f))));
      }
      break;
    case UNPACK_RGB24:
      for (; out < end; out += 16, from += 12) {
        v128.store(out, i8x16.swizzle(v128.load(from), i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1)));
      }
      break;
    case UNPACK_RGB32:
      for (; out + 64 <= end; out += 64, from += 64) {
        v128.store(out, v128.and(v128.load(from), i32x4.splat(0xffffff)));
        v128.store(out, v128.and(v128.load(from, 16), i32x4.splat(0xffffff)), 16);
        v128.store(out, v128.and(v128.load(from, 32), i32x4.splat(0xffffff)), 32);
        v128.store(out, v128.and(v128.load(from, 48), i32x4.splat(0xffffff)), 48);
      }
      for (; out < end; out += 16, from += 16) v128.store(out, v128.and(v128.load(from), i32x4.splat(0xffffff)));
      break;
    case UNPACK_ALPHA:
      for (; out < end; out += 16, from += 16) v128.store(out, i32x4.shr_u(v128.load(from), 24));
      break;
    default:
      for (; out < end; out += 16, from += 8) v128.store(out, v128.and(v128.load16x4_u(from), i32x4.splat(0x7fff)));
  }
}

/** Unpacks `height` rows of `count` units each to `out` without gaps, in memory row order. */
export function unpack(how: i32, from: usize, stride: i32, count: i32, height: i32, out: usize): void {
  if (how === UNPACK_RGB32 && stride === count << 2) {
    unpackRow(how, from, count * height, out);
    return;
  }
  for (let y = 0; y < height; y++, from += stride, out += count << 2) unpackRow(how, from, count, out);
}

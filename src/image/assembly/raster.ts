// Memory-to-memory primitives on rows of pixels. Strides are in bytes and may be negative; widths in bytes unless said otherwise.

/** Copies a rectangle; rectangles of one surface may overlap. */
export function copyRect(to: usize, toStride: i32, from: usize, fromStride: i32, length: i32, height: i32): void {
  // Away from the rows that are still to be read. Rectangles that overlap have one stride.
  if (to > from === toStride > 0) {
    to += toStride * (height - 1);
    from += fromStride * (height - 1);
    toStride = -toStride;
    fromStride = -fromStride;
  }
  for (let y = 0; y < height; y++, to += toStride, from += fromStride) memory.copy(to, from, length);
}

/** Fills a rectangle with a pattern of four bytes: a 32-bit pixel, a 16-bit one twice, or a byte four times. */
export function fillRect(to: usize, stride: i32, length: i32, height: i32, pattern: u32): void {
  const wide = i32x4.splat(pattern);
  for (let y = 0; y < height; y++, to += stride) {
    let p = to;
    const end = to + length;
    for (; p + 16 <= end; p += 16) v128.store(p, wide);
    for (; p + 4 <= end; p += 4) store<u32>(p, pattern);
    for (let rest = pattern; p < end; p++, rest >>= 8) store<u8>(p, <u8>rest);
  }
}

/** `op` is a truth table: bit (source << 1 | destination). 12 copies the source, 10 leaves the destination, 6 is exclusive or. */
@inline
function combine(s: v128, d: v128, op: i32): v128 {
  const both = v128.and(v128.and(s, d), i32x4.splat(-((op >> 3) & 1)));
  const source = v128.and(v128.andnot(s, d), i32x4.splat(-((op >> 2) & 1)));
  const destination = v128.and(v128.andnot(d, s), i32x4.splat(-((op >> 1) & 1)));
  const neither = v128.and(v128.not(v128.or(s, d)), i32x4.splat(-(op & 1)));
  return v128.or(v128.or(both, source), v128.or(destination, neither));
}

/** Stores the first `count` (< 16) bytes of a vector. */
function storePart(to: usize, value: v128, count: usize): void {
  let low = i64x2.extract_lane(value, 0);
  if (count >= 8) {
    store<u64>(to, low);
    low = i64x2.extract_lane(value, 1);
    to += 8;
    count -= 8;
  }
  for (; count > 0; count--, to++, low >>= 8) store<u8>(to, <u8>low);
}

/** destination = op(source, destination), bit by bit; see combine. The rectangles must not overlap, or be the same. */
export function ropRect(op: i32, to: usize, toStride: i32, from: usize, fromStride: i32, length: i32, height: i32): void {
  for (let y = 0; y < height; y++, to += toStride, from += fromStride) {
    let x: usize = 0;
    for (; x + 16 <= <usize>length; x += 16) v128.store(to + x, combine(v128.load(from + x), v128.load(to + x), op));
    if (x < <usize>length) storePart(to + x, combine(v128.load(from + x), v128.load(to + x), op), length - x);
  }
}

/** As ropRect, with a source of a pattern of four bytes. */
export function ropFill(op: i32, to: usize, stride: i32, length: i32, height: i32, pattern: u32): void {
  const source = i32x4.splat(pattern);
  for (let y = 0; y < height; y++, to += stride) {
    let x: usize = 0;
    for (; x + 16 <= <usize>length; x += 16) v128.store(to + x, combine(source, v128.load(to + x), op));
    if (x < <usize>length) storePart(to + x, combine(source, v128.load(to + x), op), length - x);
  }
}

/** Products of bytes as fractions of 255, rounded as pixman does: t = a * b + 128, (t + (t >> 8)) >> 8. */
@inline
function multiply(a: v128, b: v128): v128 {
  const t = i16x8.add(i16x8.mul(a, b), i16x8.splat(128));
  return i16x8.shr_u(i16x8.add(t, i16x8.shr_u(t, 8)), 8);
}

@inline
function overVector(s: v128, d: v128, opacity: v128, solid: v128): v128 {
  s = v128.or(s, solid);
  const low = multiply(i16x8.extend_low_i8x16_u(s), opacity);
  const high = multiply(i16x8.extend_high_i8x16_u(s), opacity);
  const lowKeep = v128.xor(i8x16.swizzle(low, i8x16(6, -1, 6, -1, 6, -1, 6, -1, 14, -1, 14, -1, 14, -1, 14, -1)), i16x8.splat(255));
  const highKeep = v128.xor(i8x16.swizzle(high, i8x16(6, -1, 6, -1, 6, -1, 6, -1, 14, -1, 14, -1, 14, -1, 14, -1)), i16x8.splat(255));
  const below = i8x16.narrow_i16x8_u(multiply(i16x8.extend_low_i8x16_u(d), lowKeep), multiply(i16x8.extend_high_i8x16_u(d), highKeep));
  return i8x16.add_sat_u(i8x16.narrow_i16x8_u(low, high), below);
}

/**
 * Porter-Duff over of premultiplied 32-bit pixels. `width` is in pixels. The source is first scaled by `opacity` (0..255);
 * `opaque` takes its alpha for 255 whatever the fourth byte holds.
 */
export function overRect(
  to: usize,
  toStride: i32,
  from: usize,
  fromStride: i32,
  width: i32,
  height: i32,
  opacity: i32,
  opaque: bool,
): void {
  const scale = i16x8.splat(<i16>opacity);
  const solid = i32x4.splat(opaque ? 0xff000000 : 0);
  const length = <usize>width << 2;
  for (let y = 0; y < height; y++, to += toStride, from += fromStride) {
    let x: usize = 0;
    for (; x + 16 <= length; x += 16) v128.store(to + x, overVector(v128.load(from + x), v128.load(to + x), scale, solid));
    if (x < length) storePart(to + x, overVector(v128.load(from + x), v128.load(to + x), scale, solid), length - x);
  }
}

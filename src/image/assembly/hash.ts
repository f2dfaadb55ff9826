// A 64-bit hash of pixels, for finding images that are probably equal. The mixing steps are those of xxHash32, in 16 lanes.

@inline
const PRIME1: i32 = 0x9e3779b1;
@inline
const PRIME2: i32 = 0x85ebca77;

@inline
function round(state: v128, data: v128): v128 {
  const sum = i32x4.add(state, i32x4.mul(data, i32x4.splat(PRIME2)));
  return i32x4.mul(v128.or(i32x4.shl(sum, 13), i32x4.shr_u(sum, 19)), i32x4.splat(PRIME1));
}

/** Bytes first..15 of a vector of zeros, the rest of `data`. */
function part(at: usize, count: usize): v128 {
  let low: u64 = 0;
  let high: u64 = 0;
  for (let k: usize = 0; k < count; k++) {
    const byte = <u64>load<u8>(at + k);
    if (k < 8) low |= byte << (k << 3);
    else high |= byte << ((k - 8) << 3);
  }
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

@inline
function mix(a: u32, b: u32): u32 {
  let h = (a ^ (b * 0xc2b2ae3d)) + (b >> 15);
  h = rotl<u32>(h, 17) * 0x27d4eb2f;
  return h ^ (h >> 15);
}

let upper: u32 = 0;

/**
 * Hash of `height` rows of `length` bytes; `seed` should hold the width and the format. With `pad`, the fourth byte of each pixel
 * counts as 0. Returns the lower 32 bits; hashUpper then has the others.
 */
export function hashRect(from: usize, stride: i32, length: i32, height: i32, seed: u32, pad: bool): u32 {
  const mask = i32x4.splat(pad ? 0x00ffffff : -1);
  let a = i32x4.splat(seed + PRIME1);
  let b = i32x4.splat(seed ^ PRIME2);
  let c = i32x4.splat(seed);
  let d = i32x4.splat(seed - PRIME1);
  for (let y = 0; y < height; y++, from += stride) {
    let p = from;
    const end = from + length;
    for (; p + 64 <= end; p += 64) {
      a = round(a, v128.and(v128.load(p), mask));
      b = round(b, v128.and(v128.load(p, 16), mask));
      c = round(c, v128.and(v128.load(p, 32), mask));
      d = round(d, v128.and(v128.load(p, 48), mask));
    }
    for (; p + 16 <= end; p += 16) {
      const x = a;
      a = round(b, v128.and(v128.load(p), mask));
      b = x;
    }
    if (p < end) c = round(c, v128.and(part(p, end - p), mask));
  }
  let low: u32 = seed;
  let high: u32 = <u32>length * 0x165667b1 + height;
  const e = round(round(a, b), round(c, d));
  const f = round(round(d, a), round(b, c));
  low = mix(low, i32x4.extract_lane(e, 0));
  low = mix(low, i32x4.extract_lane(e, 1));
  low = mix(low, i32x4.extract_lane(e, 2));
  low = mix(low, i32x4.extract_lane(e, 3));
  high = mix(high, i32x4.extract_lane(f, 0));
  high = mix(high, i32x4.extract_lane(f, 1));
  high = mix(high, i32x4.extract_lane(f, 2));
  high = mix(high, i32x4.extract_lane(f, 3));
  upper = mix(high, low);
  return mix(low, high);
}

export function hashUpper(): u32 {
  return upper;
}

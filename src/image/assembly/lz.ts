// The search of LZ and GLZ over u32 units: the same decisions as lz-match.ts and glz-match.ts, so the same bytes.
import { GLZ_TABLE_BITS, LZ_TABLE, LZ_TABLE_BITS } from "../layout";
import { imageEnd, imageId, imageStart, previousId, previousStart, putGlzMatch, referenceBytes, windowEnter, windowFind, windowHead, windowPlace, windowTable, windowUnit } from "./glz-window";

@inline
const NEAR: u32 = 8191;
@inline
const FAR: u32 = 65535 + 8190;
/** A step grows by a unit with each 2^so many misses; see LZ_SKIP_SHIFT in lz-match.ts. */
@inline
const LZ_SKIP: i32 = 10;
@inline
const GLZ_SKIP: i32 = 6;

/** Bytes of units from which on a match with the previous image is taken without looking for a longer one. */
@inline
const LONG: usize = 4 * 64;

/** Where matches may point and how they are written. */
@inline
const LZ: i32 = 0;
@inline
const GLZ_WINDOW: i32 = 1;
@inline
const GLZ_ALONE: i32 = 2;

@inline
function hash(a: u32, b: u32, c: u32): u32 {
  return a * 0x9e3779b1 + b * 0x85ebca6b + c * 0xc2b2ae35;
}

/** Offset of the table entry for a hash. */
@inline
function slotOf(hashed: u32, bits: i32): usize {
  return <usize>(hashed >> (32 - bits)) << 2;
}

/**
 * A GLZ table entry: the place of the units in the ring (22 bits) under ten bits of their hash, so that hardly an entry is followed
 * in vain: the ring is large and a look at it costs more than the search.
 */
@inline
function tagged(hashed: u32, place: u32): u32 {
  return ((hashed << 17) & 0xffc00000) | place;
}

/** Bytes of equal units at `i` and `j`, before `end`. Reads up to 63 bytes beyond `end`. */
@inline
function matchBytes(j: usize, i: usize, end: usize): usize {
  const start = i;
  // Most matches are short; those that are not go 64 bytes at a time, with one branch that the processor may guess wrong.
  const few = i32x4.bitmask(i32x4.eq(v128.load(i), v128.load(j)));
  if (few !== 15) return min(i + (<usize>ctz(~few) << 2), end) - start;
  i += 16;
  j += 16;
  while (i < end) {
    const a = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(i), v128.load(j)), i32x4.eq(v128.load(i, 16), v128.load(j, 16)));
    const b = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(i, 32), v128.load(j, 32)), i32x4.eq(v128.load(i, 48), v128.load(j, 48)));
    const equal = i8x16.bitmask(i8x16.narrow_i16x8_s(a, b));
    if (equal !== 0xffff) return min(i + (<usize>ctz(~equal) << 2), end) - start;
    i += 64;
    j += 64;
  }
  return end - start;
}

/** Writes the units from..end as literals of `literal` bytes, 32 to a control byte. May store 16 bytes beyond the end. */
@inline
function putLiterals(from: usize, end: usize, literal: i32, out: usize): usize {
  while (from < end) {
    const count = min<usize>(32, (end - from) >> 2);
    store<u8>(out++, <u8>(count - 1));
    const stop = out + count * literal;
    let at = from;
    if (literal === 3) {
      for (let to = out; to < stop; to += 12, at += 16) {
        v128.store(to, i8x16.swizzle(v128.load(at), i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
      }
    } else if (literal === 2) {
      for (let to = out; to < stop; to += 8, at += 16) {
        v128.store(to, i8x16.swizzle(v128.load(at), i8x16(1, 0, 5, 4, 9, 8, 13, 12, -1, -1, -1, -1, -1, -1, -1, -1)));
      }
    } else {
      for (let to = out; to < stop; to += 4, at += 16) {
        v128.store(to, i8x16.swizzle(v128.load(at), i8x16(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)));
      }
    }
    from += count << 2;
    out = stop;
  }
  return out;
}

/** Writes a match; see lz-emit.ts. `length` is biased, `far` the distance - 1. */
@inline
function putLzMatch(length: u32, far: u32, out: usize): usize {
  const near = far < NEAR;
  const high: u32 = near ? far >> 8 : 31;
  if (length < 7) store<u8>(out++, (length << 5) | high);
  else {
    store<u8>(out++, (7 << 5) | high);
    let rest = length - 7;
    for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
    store<u8>(out++, rest);
  }
  if (near) {
    store<u8>(out, far);
    return out + 1;
  }
  store<u8>(out, 255);
  store<u8>(out, (far - NEAR) >> 8, 1);
  store<u8>(out, far - NEAR, 2);
  return out + 3;
}

/** Entries of the LZ table are byte offsets in the image plus this, which grows by every image: older entries are below it. */
let base: u32 = 1;

/**
 * Writes the ops of `count` units at `start`, in rows of `row` units. `first` is, in a GLZ window, the number of the first unit
 * among all units ever put in, otherwise what `take` gave. Returns the end of the output.
 */
@inline
function search(start: usize, count: u32, row: u32, literal: i32, out: usize, window: i32, first: u32): usize {
  const bits = window === GLZ_WINDOW ? GLZ_TABLE_BITS : LZ_TABLE_BITS;
  const table: usize = window === GLZ_WINDOW ? windowTable() : LZ_TABLE;
  const skip = window === LZ ? LZ_SKIP : GLZ_SKIP;
  const shift = first - <u32>start;
  const bias = 3 - literal;
  const end = start + (<usize>count << 2);
  const last = end - 12;
  const rowBytes = <usize>row << 2;
  // An older image that this one probably resembles: windows are often drawn again with few changes.
  const previous: usize = window === GLZ_WINDOW ? previousStart(start, count) : 0;
  const previousBack: u32 = window === GLZ_WINDOW ? previousId() : 0;
  let pending = start;
  let i = start + 4;
  let misses: u32 = 0;
  while (i <= last) {
    // Two units at once: the shortest match there is.
    const pair = load<u64>(i);
    let length: usize = 0; // in bytes of units
    let from: usize = 0;
    let floor = start; // how far back a match may begin
    let id: u32 = 0; // of the image referred to, if not this one
    let origin: usize = 0; // and its first unit
    if (window === GLZ_WINDOW && previous !== 0) {
      const at = previous + (i - start);
      if (load<u64>(at) === pair) {
        from = at;
        length = matchBytes(at + 8, i + 8, end) + 8;
        id = previousBack;
        origin = previous;
        floor = previous;
      }
    }
    const open = origin === 0 || length < LONG;
    if (open) {
      if (load<u64>(i - 4) === pair) {
        const run: usize = matchBytes(i + 4, i + 8, end) + 8;
        if (run >= length) {
          from = i - 4;
          length = run;
          id = 0;
          origin = 0;
          floor = start;
        }
      }
      if (i - start >= rowBytes && load<u64>(i - rowBytes) === pair) {
        const above: usize = matchBytes(i - rowBytes + 8, i + 8, end) + 8;
        if (above > length) {
          from = i - rowBytes;
          length = above;
          id = 0;
          origin = 0;
          floor = start;
        }
      }
    }
    if (open && (length < 12 || from !== i - 4)) {
      const hashed = hash(<u32>pair, <u32>(pair >> 32), load<u32>(i, 8));
      const slot = table + slotOf(hashed, bits);
      const seen = load<u32>(slot);
      if (window === GLZ_WINDOW) {
        const here = first + <u32>((i - start) >> 2);
        store<u32>(slot, tagged(hashed, windowPlace(here)));
        const number = here - windowPlace(here - seen);
        if ((seen ^ (hashed << 17)) >> 22 === 0 && number >= windowHead() && number < here) {
          const at = windowUnit(number);
          if (at !== from && load<u64>(at) === pair) {
            if (number >= first) {
              const found: usize = matchBytes(at + 8, i + 8, end) + 8;
              if (found > length + 4) {
                from = at;
                length = found;
                id = 0;
                origin = 0;
                floor = start;
              }
            } else if (windowFind(number)) {
              const stop = min(end, i + (imageEnd() - at));
              if (stop > i + 8) {
                const found: usize = matchBytes(at + 8, i + 8, stop) + 8;
                if (found > length + 4) {
                  from = at;
                  length = found;
                  id = imageId();
                  origin = imageStart();
                  floor = origin;
                }
              }
            }
          }
        }
      } else {
        store<u32>(slot, <u32>i + shift);
        const at: usize = seen - shift;
        if (
          seen >= first &&
          load<u64>(at) === pair &&
          at !== from &&
          (window !== LZ || <u32>((i - at) >> 2) - 1 <= FAR)
        ) {
          const found: usize = matchBytes(at + 8, i + 8, end) + 8;
          if (found > length + 4) {
            from = at;
            length = found;
          }
        }
      }
    }
    if (length === 0) {
      i += <usize>(1 + (misses++ >> skip)) << 2;
      continue;
    }
    const far: u32 = origin !== 0 ? <u32>((from - origin) >> 2) : <u32>((i - from) >> 2) - 1;
    let least: u32;
    if (window === LZ) {
      least = literal === 1 ? 3 : 2;
      if (far >= NEAR && literal !== 3) least = literal === 2 ? 3 : 6;
    } else least = referenceBytes(id, far) / literal + 1;
    if (<u32>(length >> 2) < least) {
      i += <usize>(1 + (misses++ >> skip)) << 2;
      continue;
    }
    while (i - 4 > pending && from > floor && load<u32>(i - 4) === load<u32>(from - 4)) {
      i -= 4;
      from -= 4;
      length += 4;
    }
    out = putLiterals(pending, i, literal, out);
    if (window === LZ) out = putLzMatch(<u32>(length >> 2) - bias, far, out);
    else out = putGlzMatch(<u32>(length >> 2) - bias, id, origin !== 0 ? <u32>((from - origin) >> 2) : far, out);
    i += length;
    pending = i;
    misses = 0;
    if (i <= last) {
      // The last two places of the match: what follows it often comes again with it.
      for (let at = i - 8; at < i; at += 4) {
        const hashed = hash(load<u32>(at), load<u32>(at, 4), load<u32>(at, 8));
        const number = first + <u32>((at - start) >> 2);
        const entry = window === GLZ_WINDOW ? tagged(hashed, windowPlace(number)) : <u32>at + shift;
        store<u32>(table + slotOf(hashed, bits), entry);
      }
    }
  }
  return putLiterals(pending, end, literal, out);
}

/** Makes room in the entries of the LZ table for an image of `count` units and returns that of its first. */
function take(count: u32): u32 {
  if (base + 4 * count > 0x7fffffff) {
    memory.fill(LZ_TABLE, 0, 4 << LZ_TABLE_BITS);
    base = 1;
  }
  const first = base;
  base += 4 * count;
  return first;
}

/** LZ ops of `count` units of `literal` bytes, in rows of `row`. Returns the end of the output. */
export function lzEncode(start: usize, count: u32, row: u32, literal: i32, out: usize): usize {
  const first = take(count);
  if (literal === 3) return search(start, count, row, 3, out, LZ, first);
  if (literal === 2) return search(start, count, row, 2, out, LZ, first);
  return search(start, count, row, 1, out, LZ, first);
}

/** GLZ ops of the image that lies in the window from unit number `first` on; the window is set by windowOpen. */
export function glzEncode(start: usize, count: u32, row: u32, literal: i32, out: usize, first: u32): usize {
  windowEnter(first, count);
  if (literal === 3) return search(start, count, row, 3, out, GLZ_WINDOW, first);
  return search(start, count, row, 2, out, GLZ_WINDOW, first);
}

/** GLZ ops of an alpha plane, which refers to itself only. */
export function glzEncodeAlpha(start: usize, count: u32, row: u32, out: usize): usize {
  return search(start, count, row, 1, out, GLZ_ALONE, take(count));
}

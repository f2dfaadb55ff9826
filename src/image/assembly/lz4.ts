// LZ4 blocks (the block format of lz4), greedy. Pictures repeat by pixels, so only places where a pixel of four bytes begins are
// looked at, and each in two tables: where the same two pixels were last, else where the same one was.
import { LZ4_TABLE, LZ4_TABLE_BITS } from "../layout";

/** The last match ends at least 5 bytes before the end, and none begins in the last 12. */
@inline
const TAIL: usize = 5;
@inline
const MATCH_LIMIT: usize = 12;
@inline
const FAR: usize = 65535;
/** A step grows by a pixel with each 2^so many misses. */
@inline
const SKIP: i32 = 5;
/** Table entries are the lower 16 bits of a place's number, which tells a distance in pixels: 16 KiB stay in the first cache. */
@inline
const PIXEL_TABLE: usize = LZ4_TABLE + (2 << LZ4_TABLE_BITS);

/** The table entry of the two pixels at `at`; with `step` 1 of five bytes. */
@inline
function pairSlot(at: usize, step: usize): usize {
  const bytes = step === 4 ? load<u64>(at) : load<u64>(at) << 24;
  return LZ4_TABLE + (<usize>((bytes * 0x9e3779b185ebca87) >> (64 - LZ4_TABLE_BITS)) << 1);
}

/** The table entry of the pixel at `at`. */
@inline
function pixelSlot(at: usize): usize {
  return PIXEL_TABLE + (<usize>((load<u32>(at) * 0x9e3779b1) >> (32 - LZ4_TABLE_BITS)) << 1);
}

/** Enters place `number` in a table and returns how many places before it the last entry was, 0..65535. */
@inline
function exchange(slot: usize, number: u32): usize {
  const distance = <usize>((number - load<u16>(slot)) & 0xffff);
  store<u16>(slot, <u16>number);
  return distance;
}

@inline
function putLength(rest: usize, out: usize): usize {
  for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
  store<u8>(out++, <u8>rest);
  return out;
}

/** Writes the token and the literals; `match` is the token's lower half. Copies 16 bytes at a time. */
@inline
function putLiterals(from: usize, end: usize, out: usize, match: u32): usize {
  const count = end - from;
  if (count < 15) {
    store<u8>(out, <u8>((<u32>count << 4) | match));
    v128.store(out, v128.load(from), 1);
    return out + count + 1;
  }
  store<u8>(out, <u8>(0xf0 | match));
  out = putLength(count - 15, out + 1);
  for (let k: usize = 0; k < count; k += 16) v128.store(out + k, v128.load(from + k));
  return out + count;
}

@inline
function equalMask(i: usize, from: usize): u64 {
  return <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(i), v128.load(from))));
}

/** End of the bytes from `i` on, before `stop`, that equal those `distance` before. Reads up to 63 bytes beyond `stop`. */
@inline
function matchEnd(i: usize, distance: usize, stop: usize): usize {
  // Most matches are short; those that are not go 64 bytes at a time, with one branch that the processor may guess wrong.
  const few = equalMask(i, i - distance);
  if (few !== 0xffff) return min(i + <usize>ctz(~few), stop);
  for (i += 16; i < stop; i += 64) {
    const from = i - distance;
    const low = equalMask(i, from) | (equalMask(i + 16, from + 16) << 16);
    const high = equalMask(i + 32, from + 32) | (equalMask(i + 48, from + 48) << 16);
    const differ = ~(low | (high << 32));
    if (differ !== 0) return min(i + <usize>ctz(differ), stop);
  }
  return stop;
}

/** Equal bytes before `i` and `from`, at most `most` and eight. */
@inline
function equalBefore(i: usize, from: usize, most: usize): usize {
  return min<usize>(<usize>clz(load<u64>(i - 8) ^ load<u64>(from - 8)) >> 3, most);
}

/** Looks for matches at every `step` bytes: 4, or 1 for pixels of other sizes. */
@inline
function search(start: usize, length: u32, step: usize, out: usize): usize {
  const end = start + length;
  let pending = start; // first literal not yet written
  if (length <= <u32>MATCH_LIMIT) return putLiterals(pending, end, out, 0);
  memory.fill(LZ4_TABLE, 0, 4 << LZ4_TABLE_BITS);
  const last = end - MATCH_LIMIT;
  const stop = end - TAIL;
  let i = start + step;
  let misses: u32 = 1 << SKIP;
  while (i <= last) {
    const number = <u32>((i - start) / step);
    const here = load<u64>(i);
    let distance = exchange(pairSlot(i, step), number) * step;
    let differ = here ^ load<u64>(i - distance);
    if (step === 4) {
      const close = exchange(pixelSlot(i), number) * step;
      if (differ !== 0 || distance - 1 >= FAR) {
        distance = close;
        differ = here ^ load<u64>(i - distance);
      }
    }
    if (<u32>differ !== 0 || distance - 1 >= FAR) {
      i += <usize>(misses++ >> SKIP) * step;
      continue;
    }
    misses = 1 << SKIP;
    const back: usize = i === pending ? 0 : equalBefore(i, i - distance, min(i - pending, i - distance - start));
    const begin = i - back;
    if (step === 4 && differ !== 0) {
      // One pixel. Bytes of the next are not worth it: so the processor knows where to go on before it has seen the match.
      out = putLiterals(pending, begin, out, <u32>back);
      store<u16>(out, <u16>distance);
      out += 2;
      i += 4;
      pending = i;
      continue;
    }
    const j: usize = differ !== 0 ? i + (<usize>ctz(differ) >> 3) : matchEnd(i + 8, distance, stop);
    const matched = j - begin - 4;
    out = putLiterals(pending, begin, out, min<u32>(<u32>matched, 15));
    store<u16>(out, <u16>distance);
    out += 2;
    if (matched >= 15) out = putLength(matched - 15, out);
    pending = j;
    i = start + ((j - start + step - 1) & ~(step - 1));
    if (i <= last) store<u16>(pairSlot(i - step, step), <u16>((i - step - start) / step));
  }
  return putLiterals(pending, end, out, 0);
}

/**
 * Compresses `length` bytes of pixels of `pixel` bytes each at `start` into one block at `out`, which needs
 * length + length / 255 + 64 bytes. Returns the end of the output.
 */
export function lz4Encode(start: usize, length: u32, pixel: i32, out: usize): usize {
  return pixel === 4 ? search(start, length, 4, out) : search(start, length, 1, out);
}

/** Gathers rows of `length` bytes to `out` without gaps. */
export function packRows(from: usize, stride: i32, length: i32, height: i32, out: usize): void {
  for (let y = 0; y < height; y++, from += stride, out += length) memory.copy(out, from, length);
}

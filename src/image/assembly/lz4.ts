// LZ4 blocks (the block format of lz4), greedy, one hash table of four-byte sequences.
import { LZ4_TABLE, LZ4_TABLE_BITS } from "../layout";

/** The last match ends at least 5 bytes before the end, and none begins in the last 12. */
@inline
const TAIL: usize = 5;
@inline
const MATCH_LIMIT: usize = 12;

let base: u32 = 1;

@inline
function hash(at: usize): usize {
  // Five bytes tell more than four and cost nothing.
  return <usize>((load<u64>(at) << 24) * 889523592379 >> (64 - LZ4_TABLE_BITS)) << 2;
}

@inline
function putLength(rest: usize, out: usize): usize {
  for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
  store<u8>(out++, <u8>rest);
  return out;
}

/** Writes literals and the token's upper half; returns the output behind them. Copies 16 bytes at a time. */
@inline
function putLiterals(from: usize, end: usize, out: usize, match: u32): usize {
  const count = end - from;
  store<u8>(out++, <u8>((min<usize>(count, 15) << 4) | min(match, 15)));
  if (count >= 15) out = putLength(count - 15, out);
  for (let k: usize = 0; k < count; k += 16) v128.store(out + k, v128.load(from + k));
  return out + count;
}

/**
 * Compresses `length` bytes at `start` into one block at `out`, which needs length + length / 255 + 64 bytes. Returns the end of the
 * output.
 */
export function lz4Encode(start: usize, length: u32, out: usize): usize {
  if (base + length > 0x7fffffff) {
    memory.fill(LZ4_TABLE, 0, 4 << LZ4_TABLE_BITS);
    base = 1;
  }
  const first = base;
  base += length + 1;
  const end = start + length;
  let pending = start;
  if (length > MATCH_LIMIT) {
    const last = end - MATCH_LIMIT;
    const stop = end - TAIL;
    // Table entries are addresses plus `shift`, so that those of older inputs are below `first`.
    const shift = first - <u32>start;
    let i = start;
    store<u32>(LZ4_TABLE + hash(i), first);
    i++;
    let misses: u32 = 64;
    while (i <= last) {
      const slot = LZ4_TABLE + hash(i);
      const seen = load<u32>(slot);
      store<u32>(slot, <u32>i + shift);
      let from: usize = seen - shift;
      if (seen < first || load<u32>(from) !== load<u32>(i) || i - from > 65535) {
        i += misses++ >> 6;
        continue;
      }
      while (i > pending && from > start && load<u8>(i - 1) === load<u8>(from - 1)) {
        i--;
        from--;
      }
      let j = i + 4;
      // Most matches are short: eight bytes first, then sixteen at a time.
      const differ8 = load<u64>(j) ^ load<u64>(j - (i - from));
      if (differ8 !== 0) j += <usize>ctz(differ8) >> 3;
      else {
        j += 8;
        while (j < stop) {
          const equal = i8x16.bitmask(i8x16.eq(v128.load(j), v128.load(j - (i - from))));
          if (equal !== 0xffff) {
            j += ctz(~equal);
            break;
          }
          j += 16;
        }
      }
      j = min(j, stop);
      const matched = j - i - 4;
      out = putLiterals(pending, i, out, <u32>matched);
      store<u16>(out, <u16>(i - from));
      out += 2;
      if (matched >= 15) out = putLength(matched - 15, out);
      i = j;
      pending = i;
      misses = 64;
      if (i <= last) store<u32>(LZ4_TABLE + hash(i - 2), <u32>i - 2 + shift);
    }
  }
  return putLiterals(pending, end, out, 0);
}

/** Gathers rows of `length` bytes to `out` without gaps. */
export function packRows(from: usize, stride: i32, length: i32, height: i32, out: usize): void {
  for (let y = 0; y < height; y++, from += stride, out += length) memory.copy(out, from, length);
}

// QUIC, byte-identical to quic-encode.ts. A row is analysed with SIMD first (symbols, bitmap of equal neighbours, bitmap of
// places where a run may begin), then coded pixel by pixel.
import {
  QUIC_BITMAPS,
  QUIC_BITMAP_BYTES,
  QUIC_BUCKETS5,
  QUIC_BUCKETS8,
  QUIC_CHANNEL_BYTES,
  QUIC_CODES5,
  QUIC_CODES8,
  QUIC_LENGTHS5,
  QUIC_LENGTHS8,
  QUIC_MODEL,
  QUIC_ROWS,
  QUIC_ROW_BYTES,
  QUIC_STATE,
} from "../layout";
import { bitsEnd, bitsPut, bitsRestore, bitsStart, count, out as bitsOut, word } from "./bits";
import {
  chaosOf,
  modelReset,
  modelUpdate,
  quicPrepare,
  runLengthBits,
  runState,
  segmentDone,
  segmentLength,
  setRunState,
  setWait,
  stateReset,
  trigger,
  waitCount,
  waitMask,
  waitSeed,
} from "./quic-model";
import { unpackRow } from "./units";

@inline
const COLOR_MASK: i32 = 0x00ffffff;
const SYMBOLS: usize = QUIC_ROWS;
/** Contexts have one entry before pixel 0. */
const CONTEXTS: usize = QUIC_ROWS + QUIC_ROW_BYTES + 16;
const ALPHA_CONTEXTS: usize = QUIC_ROWS + 2 * QUIC_ROW_BYTES + 16;
const PIXEL_ROWS: usize = QUIC_ROWS + 3 * QUIC_ROW_BYTES + 16;
const ALPHA_ROWS: usize = QUIC_ROWS + 5 * QUIC_ROW_BYTES + 16;
const CANDIDATES: usize = QUIC_BITMAPS + 4 * QUIC_BITMAP_BYTES;

let prepared = false;

/** Symbols of four pixels whose difference from the prediction is `d`; 5-bit channels use the upper bits of their bytes. */
@inline
function zigzag(d: v128, bpc: i32): v128 {
  if (bpc === 5) {
    const s = i8x16.shl(d, 3);
    return i8x16.shr_u(v128.xor(i8x16.add(s, s), i8x16.shr_s(s, 7)), 3);
  }
  return v128.xor(i8x16.add(d, d), i8x16.shr_s(d, 7));
}

/** Floor of the mean of bytes: avgr rounds up, so its excess is taken off. */
@inline
function mean(a: v128, b: v128): v128 {
  return i8x16.sub(i8x16.avgr_u(a, b), v128.and(v128.xor(a, b), i8x16.splat(1)));
}

/**
 * Analyses a row: SYMBOLS, the bitmap `equal` of pixels that equal their left neighbour, and CANDIDATES, where runs may
 * begin: above, pixels i - 1 and i are equal; here, pixels i - 2 and i - 1; and i > 2. Touches up to 15 pixels beyond the row and one
 * before it.
 */
@inline
function analyse(above: usize, row: usize, width: i32, equalAbove: usize, equal: usize, first: bool, bpc: i32): void {
  const mask = i32x4.splat(COLOR_MASK);
  let carry: u32 = 0;
  for (let x = 0; x < width; x += 16) {
    const p = row + (x << 2);
    const u = above + (x << 2);
    const s = SYMBOLS + (x << 2);
    const c0 = v128.and(v128.load(p), mask);
    const c1 = v128.and(v128.load(p, 16), mask);
    const c2 = v128.and(v128.load(p, 32), mask);
    const c3 = v128.and(v128.load(p, 48), mask);
    const l0 = v128.and(v128.load(p - 4), mask);
    const l1 = v128.and(v128.load(p - 4, 16), mask);
    const l2 = v128.and(v128.load(p - 4, 32), mask);
    const l3 = v128.and(v128.load(p - 4, 48), mask);
    const e0 = i16x8.narrow_i32x4_s(i32x4.eq(c0, l0), i32x4.eq(c1, l1));
    const e1 = i16x8.narrow_i32x4_s(i32x4.eq(c2, l2), i32x4.eq(c3, l3));
    const here: u32 = i8x16.bitmask(i8x16.narrow_i16x8_s(e0, e1));
    store<u16>(equal + (x >> 3), <u16>here);
    if (first) {
      v128.store(s, zigzag(i8x16.sub(c0, l0), bpc));
      v128.store(s, zigzag(i8x16.sub(c1, l1), bpc), 16);
      v128.store(s, zigzag(i8x16.sub(c2, l2), bpc), 32);
      v128.store(s, zigzag(i8x16.sub(c3, l3), bpc), 48);
    } else {
      let candidates = load<u16>(equalAbove + (x >> 3)) & ((here << 1) | carry);
      if (x === 0) candidates &= ~7;
      store<u16>(CANDIDATES + (x >> 3), <u16>candidates);
      carry = here >> 15;
      // Pixels of which each begins or continues a run are never coded: text has large flat parts.
      if ((candidates & here) === 0xffff) continue;
      v128.store(s, zigzag(i8x16.sub(c0, mean(l0, v128.and(v128.load(u), mask))), bpc));
      v128.store(s, zigzag(i8x16.sub(c1, mean(l1, v128.and(v128.load(u, 16), mask))), bpc), 16);
      v128.store(s, zigzag(i8x16.sub(c2, mean(l2, v128.and(v128.load(u, 32), mask))), bpc), 32);
      v128.store(s, zigzag(i8x16.sub(c3, mean(l3, v128.and(v128.load(u, 48), mask))), bpc), 48);
    }
  }
  const origin = first ? i32x4.splat(0) : v128.and(i32x4.splat(load<i32>(above)), mask);
  const symbol = zigzag(i8x16.sub(v128.and(i32x4.splat(load<i32>(row)), mask), origin), bpc);
  store<u32>(SYMBOLS, i32x4.extract_lane(symbol, 0));
}

/** Index of the first bit equal to `set` in `bitmap` at or after `i`, at most `end`. */
@inline
function nextBit(bitmap: usize, i: i32, end: i32, set: bool): i32 {
  if (i >= end) return end;
  const flip: u64 = set ? 0 : -1;
  let at = (i >> 6) << 3;
  let bits = ((load<u64>(bitmap + at) ^ flip) >> (i & 63)) << (i & 63);
  while (bits === 0) {
    at += 8;
    if (at << 3 >= end) return end;
    bits = load<u64>(bitmap + at) ^ flip;
  }
  return min(end, (at << 3) + <i32>ctz(bits));
}

/** Address of the bucket of a channel whose context is the byte at `shift`. */
@inline
function bucketOf(channel: i32, context: u32, shift: i32, buckets: usize): usize {
  return QUIC_MODEL + channel * QUIC_CHANNEL_BYTES + <usize>load<u8>(buckets + <usize>((context >> shift) & 255));
}

/** The code word of the symbol at `shift` in the bucket's best code; length << 16 | bits. */
@inline
function codeOf(bucket: usize, symbols: u32, shift: i32, codes: usize): u32 {
  return load<u32>(codes + load<u32>(bucket, 16) + <usize>(((symbols >> shift) & 255) << 2));
}

@inline
function learn(bucket: usize, symbols: u32, shift: i32, limit: i32, lengths: usize): void {
  modelUpdate(bucket, lengths + <usize>(((symbols >> shift) & 255) << 4), limit);
}

function putRun(state: usize, length: i32): void {
  let left = length;
  let index = runState(state);
  while (left >= 1 << runLengthBits(index)) {
    bitsPut(1, 1);
    left -= 1 << runLengthBits(index);
    if (index < 31) index++;
  }
  bitsPut(left, runLengthBits(index) + 1);
  setRunState(state, index > 0 ? index - 1 : 0);
}

/** Codes pixels start..end of an analysed row. */
@inline
function segment(state: usize, contexts: usize, equal: usize, start: i32, end: i32, first: bool, colors: bool, bpc: i32): void {
  const codes: usize = bpc === 5 ? QUIC_CODES5 : QUIC_CODES8;
  const lengths: usize = bpc === 5 ? QUIC_LENGTHS5 : QUIC_LENGTHS8;
  const buckets: usize = bpc === 5 ? QUIC_BUCKETS5 : QUIC_BUCKETS8;
  const limit = trigger(state);
  const mask = waitMask(state);
  let seed = waitSeed(state);
  let i = start;
  let stop = i + waitCount(state);
  let context = load<u32>(contexts + (i << 2) - 4);
  let run = first ? end : nextBit(CANDIDATES, i, end, true);
  for (;;) {
    // The writer's state is kept in locals here, where most of the time goes.
    let bits = word;
    let held = count;
    let to = bitsOut;
    while (i < run) {
      const symbols = load<u32>(SYMBOLS + (i << 2));
      const red = bucketOf(0, context, 16, buckets);
      const green = bucketOf(1, context, 8, buckets);
      const blue = bucketOf(colors ? 2 : 3, context, 0, buckets);
      const b = codeOf(blue, symbols, 0, codes);
      if (colors) {
        const r = codeOf(red, symbols, 16, codes);
        const g = codeOf(green, symbols, 8, codes);
        const tail = (g >> 16) + (b >> 16);
        const length = (r >> 16) + tail;
        if (length > 32) {
          bits = (bits << (r >> 16)) | (r & 0xffff);
          held += r >> 16;
          store<u32>(to, <u32>(bits >> ((held - 32) & 63)));
          to += (held >>> 5) << 2;
          held &= 31;
          // Two codes have 52 bits at most, so they may have to go one by one.
          bits = (bits << (g >> 16)) | (g & 0xffff);
          held += g >> 16;
          store<u32>(to, <u32>(bits >> ((held - 32) & 63)));
          to += (held >>> 5) << 2;
          held &= 31;
          bits = (bits << (b >> 16)) | (b & 0xffff);
          held += b >> 16;
        } else {
          bits = (bits << length) | (((r & 0xffff) << tail) | ((g & 0xffff) << (b >> 16)) | (b & 0xffff));
          held += length;
        }
      } else {
        bits = (bits << (b >> 16)) | (b & 0xffff);
        held += b >> 16;
      }
      store<u32>(to, <u32>(bits >> ((held - 32) & 63)));
      to += (held >>> 5) << 2;
      held &= 31;
      store<u32>(contexts + (i << 2), symbols);
      context = symbols;
      if (i === stop) {
        if (colors) {
          learn(red, symbols, 16, limit, lengths);
          learn(green, symbols, 8, limit, lengths);
        }
        learn(blue, symbols, 0, limit, lengths);
        seed = (seed + 1) & 255;
        stop = i + 1 + (chaosOf(seed) & mask);
      }
      i++;
    }
    bitsRestore(bits, held, to);
    if (i >= end) break;
    const length = nextBit(equal, i, end, false) - i;
    putRun(state, length);
    stop += length;
    i += length;
    if (i >= end) break;
    // The contexts of the run's pixels stay what they were in an older row.
    context = load<u32>(contexts + (i << 2) - 4);
    run = nextBit(CANDIDATES, length === 0 ? i + 1 : i, end, true);
  }
  setWait(state, stop - end, seed);
}

@inline
function encodeRow(state: usize, contexts: usize, above: usize, row: usize, width: i32, y: i32, equals: usize, colors: bool, bpc: i32): void {
  const equal = equals + (y & 1) * QUIC_BITMAP_BYTES;
  const first = y === 0;
  store<u32>(contexts - 4, first ? 0 : load<u32>(contexts));
  const equalAbove = equals + ((y & 1) ^ 1) * QUIC_BITMAP_BYTES;
  if (first) analyse(above, row, width, equalAbove, equal, true, bpc);
  else analyse(above, row, width, equalAbove, equal, false, bpc);
  for (let x = 0; x < width; ) {
    const length = segmentLength(state, width - x);
    segment(state, contexts, equal, x, x + length, first, colors, bpc);
    segmentDone(state, length);
    x += length;
  }
}

function colorRow8(above: usize, row: usize, width: i32, y: i32): void {
  encodeRow(QUIC_STATE, CONTEXTS, above, row, width, y, QUIC_BITMAPS, true, 8);
}

function colorRow5(above: usize, row: usize, width: i32, y: i32): void {
  encodeRow(QUIC_STATE, CONTEXTS, above, row, width, y, QUIC_BITMAPS, true, 5);
}

function alphaRow(above: usize, row: usize, width: i32, y: i32): void {
  encodeRow(QUIC_STATE + 64, ALPHA_CONTEXTS, above, row, width, y, QUIC_BITMAPS + 2 * QUIC_BITMAP_BYTES, false, 8);
}

/**
 * Encodes an image of QUIC `type` (2 RGB16, 3 RGB24, 4 RGB32, 5 RGBA). `source` is the top row; `stride` leads to the next row
 * down. Returns the length of the stream at `out`, which must have room for quicWorstBytes.
 */
export function quicEncode(type: i32, source: usize, stride: i32, width: i32, height: i32, out: usize): i32 {
  if (!prepared) {
    quicPrepare();
    prepared = true;
  }
  bitsStart(out);
  bitsPut(0x43495551, 32);
  bitsPut(0, 32);
  bitsPut(type, 32);
  bitsPut(width, 32);
  bitsPut(height, 32);
  modelReset(type === 2 ? 5 : 8);
  // Alpha always has 8 bits; type 2 has none.
  stateReset(QUIC_STATE);
  stateReset(QUIC_STATE + 64);
  memory.fill(CONTEXTS - 4, 0, (width << 2) + 4);
  if (type === 5) memory.fill(ALPHA_CONTEXTS - 4, 0, (width << 2) + 4);
  let above: usize = 0;
  let alphaAbove: usize = 0;
  let from = source;
  for (let y = 0; y < height; y++, from += stride) {
    let row = from;
    if (type < 4) {
      row = PIXEL_ROWS + (y & 1) * QUIC_ROW_BYTES;
      unpackRow(type === 2 ? 1 : 2, from, width, row);
    }
    if (type === 2) colorRow5(above, row, width, y);
    else colorRow8(above, row, width, y);
    above = row;
    if (type === 5) {
      const alpha = ALPHA_ROWS + (y & 1) * QUIC_ROW_BYTES;
      unpackRow(4, from, width, alpha);
      alphaRow(alphaAbove, alpha, width, y);
      alphaAbove = alpha;
    }
  }
  return <i32>(bitsEnd() - out);
}

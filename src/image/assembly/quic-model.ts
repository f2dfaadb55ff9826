// The adaptive model of QUIC: code tables, counters, wait mask. See quic-model.ts and quic-family.ts for the plain version.
import {
  QUIC_BUCKETS5,
  QUIC_BUCKETS8,
  QUIC_BUCKET_BYTES,
  QUIC_CHANNEL_BYTES,
  QUIC_CODES5,
  QUIC_CODES8,
  QUIC_LENGTHS5,
  QUIC_LENGTHS8,
  QUIC_MODEL,
} from "../layout";

const chaos = memory.data<u8>([
  2, 23, 19, 21, 7, 18, 40, 14, 12, 32, 47, 44, 36, 6, 18, 11, 4, 19, 42, 29, 16, 63, 57, 51, 16, 3, 5, 14, 15, 30, 20, 9,
  36, 45, 3, 57, 61, 0, 8, 5, 41, 14, 43, 27, 43, 59, 31, 35, 39, 60, 42, 38, 13, 54, 62, 1, 26, 3, 11, 61, 52, 34, 7, 48,
  4, 59, 22, 12, 22, 8, 50, 4, 10, 6, 44, 8, 11, 46, 31, 51, 53, 17, 1, 43, 46, 60, 36, 54, 10, 27, 39, 44, 22, 41, 23, 2,
  44, 0, 40, 53, 40, 48, 16, 43, 32, 28, 33, 12, 20, 2, 56, 62, 55, 58, 18, 20, 13, 55, 38, 29, 57, 19, 49, 33, 47, 63, 59, 0,
  35, 61, 19, 25, 46, 38, 60, 4, 35, 1, 26, 40, 28, 10, 5, 14, 25, 18, 48, 49, 20, 59, 62, 34, 46, 7, 33, 52, 34, 58, 9, 29,
  8, 55, 62, 60, 37, 36, 37, 50, 6, 3, 10, 28, 48, 24, 26, 61, 57, 30, 11, 54, 2, 6, 50, 47, 7, 17, 35, 53, 32, 12, 23, 17,
  5, 21, 49, 55, 51, 45, 52, 27, 39, 25, 39, 63, 22, 24, 42, 52, 56, 38, 41, 41, 56, 32, 13, 24, 26, 51, 27, 56, 58, 37, 24, 42,
  15, 28, 17, 30, 31, 15, 16, 23, 25, 54, 33, 34, 1, 29, 31, 50, 53, 21, 49, 15, 47, 9, 0, 58, 37, 45, 30, 13, 9, 45, 63, 21,
]);
const triggers = memory.data<u16>([110, 550, 900, 800, 550, 400, 350]);
const runBits = memory.data<u8>([
  0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
]);

/** Codes that 5-bit channels do not have cost so much that they never win. */
const NEVER: u16 = 1000;

function prepareFamily(bpc: i32, codes: usize, lengths: usize, buckets: usize): void {
  const symbols = 1 << bpc;
  for (let n = 0; n < symbols; n++) store<u8>(buckets + n, <u8>(min(31 - clz(n + 1), bpc - 1) * QUIC_BUCKET_BYTES));
  for (let l = 0; l < 8; l++) {
    const limit = min(26 - bpc, (1 << (bpc - l)) - 1);
    const base = limit << l;
    const suffix = 32 - clz(symbols - base - 1);
    for (let n = 0; n < symbols; n++) {
      let length = limit + suffix;
      let code = n - base;
      if (n < base) {
        length = (n >> l) + 1 + l;
        code = (1 << l) | (n & ((1 << l) - 1));
      }
      if (l < bpc) store<u32>(codes + (l << 10) + (n << 2), (length << 16) | code);
      store<u16>(lengths + (n << 4) + (l << 1), l < bpc ? <u16>length : NEVER);
    }
  }
}

/** Fills the code tables; called once. */
export function quicPrepare(): void {
  prepareFamily(8, QUIC_CODES8, QUIC_LENGTHS8, QUIC_BUCKETS8);
  prepareFamily(5, QUIC_CODES5, QUIC_LENGTHS5, QUIC_BUCKETS5);
}

/** Forgets what all four channels learnt. */
export function modelReset(bpc: i32): void {
  memory.fill(QUIC_MODEL, 0, 4 * QUIC_CHANNEL_BYTES);
  for (let at: usize = 0; at < 4 * QUIC_CHANNEL_BYTES; at += QUIC_BUCKET_BYTES) {
    store<u32>(QUIC_MODEL + at, (bpc - 1) << 10, 16);
  }
}

/** Learns that the symbol whose code lengths lie at `lengths` came in a bucket. */
@inline
export function modelUpdate(bucket: usize, lengths: usize, trigger: i32): void {
  const spent = i16x8.add_sat_u(v128.load(bucket), v128.load(lengths));
  let low = i16x8.min_u(spent, i8x16.shuffle(spent, spent, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  low = i16x8.min_u(low, i8x16.shuffle(low, low, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  low = i16x8.min_u(low, i8x16.shuffle(low, low, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  v128.store(bucket, spent);
  // The longest of the best codes.
  store<u32>(bucket, (31 - clz(i16x8.bitmask(i16x8.eq(spent, low)))) << 10, 16);
  if (<i32>i16x8.extract_lane_u(low, 0) > trigger) v128.store(bucket, i16x8.shr_u(spent, 1));
}

// State of a group of channels, at offsets of a 64-byte block.
const WAIT_COUNT: usize = 0;
const SEED: usize = 4;
const WAIT_INDEX: usize = 8;
const WAIT_LEFT: usize = 12;
const TRIGGER: usize = 16;
const RUN_STATE: usize = 20;

export function stateReset(state: usize): void {
  store<i32>(state, 0, WAIT_COUNT);
  store<i32>(state, 255, SEED);
  store<i32>(state, 0, WAIT_INDEX);
  store<i32>(state, 2048, WAIT_LEFT);
  store<i32>(state, load<u16>(triggers), TRIGGER);
  store<i32>(state, 0, RUN_STATE);
}

@inline
export function waitCount(state: usize): i32 {
  return load<i32>(state, WAIT_COUNT);
}

@inline
export function waitSeed(state: usize): i32 {
  return load<i32>(state, SEED);
}

@inline
export function setWait(state: usize, wait: i32, seed: i32): void {
  store<i32>(state, wait, WAIT_COUNT);
  store<i32>(state, seed, SEED);
}

/** Upper bound of the pixels between two model updates: all ones. */
@inline
export function waitMask(state: usize): i32 {
  return (1 << load<i32>(state, WAIT_INDEX)) - 1;
}

/** The random number with which the wait mask tells how many pixels to skip. */
@inline
export function chaosOf(seed: i32): i32 {
  return load<u8>(chaos + seed);
}

@inline
export function trigger(state: usize): i32 {
  return load<i32>(state, TRIGGER);
}

/** Pixels of a row of `left` that belong to the present segment. */
export function segmentLength(state: usize, left: i32): i32 {
  return load<i32>(state, WAIT_INDEX) < 6 ? min(load<i32>(state, WAIT_LEFT), left) : left;
}

/** Notes that a segment of `length` pixels is done; widens the wait mask when due. */
export function segmentDone(state: usize, length: i32): void {
  const index = load<i32>(state, WAIT_INDEX);
  if (index >= 6) return;
  const left = load<i32>(state, WAIT_LEFT) - length;
  store<i32>(state, left > 0 ? left : 2048, WAIT_LEFT);
  if (left > 0) return;
  store<i32>(state, index + 1, WAIT_INDEX);
  store<i32>(state, load<u16>(triggers + ((index + 1) << 1)), TRIGGER);
}

@inline
export function runState(state: usize): i32 {
  return load<i32>(state, RUN_STATE);
}

@inline
export function setRunState(state: usize, value: i32): void {
  store<i32>(state, value, RUN_STATE);
}

/** log2 of the run length that a set bit stands for in run state `index`. */
@inline
export function runLengthBits(index: i32): i32 {
  return load<u8>(runBits + index);
}

import type { QuicFamily } from "./quic-family.ts";

/** "QUIC", the first word of a stream. */
export const QUIC_MAGIC = 0x43495551;
/** Second word. */
export const QUIC_VERSION = 0;
/** Third word. */
export const QuicImageType = { GRAY: 1, RGB16: 2, RGB24: 3, RGB32: 4, RGBA: 5 } as const;

/** Highest wait mask: at last one pixel in 1..64 updates the model. */
export const QUIC_WAIT_MAX = 6;
/** Pixels coded before the wait mask widens by a bit. */
export const QUIC_WAIT_NEXT = 2048;

/** Counters of a bucket are halved when the best one exceeds this, by wait mask index. */
export const quicTrigger: readonly number[] = [110, 550, 900, 800, 550, 400, 350];

/** log2 of the run length that one set bit stands for, by run state. */
export const quicRunBits = Uint8Array.of(
  0,
  0,
  0,
  0,
  1,
  1,
  1,
  1,
  2,
  2,
  2,
  2,
  3,
  3,
  3,
  3,
  4,
  4,
  5,
  5,
  6,
  6,
  7,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
);

/** The stream's pseudo-random sequence (a constant of the format); wait masks never use more than these 6 low bits. */
export const quicChaos = Uint8Array.of(
  2,
  23,
  19,
  21,
  7,
  18,
  40,
  14,
  12,
  32,
  47,
  44,
  36,
  6,
  18,
  11,
  4,
  19,
  42,
  29,
  16,
  63,
  57,
  51,
  16,
  3,
  5,
  14,
  15,
  30,
  20,
  9,
  36,
  45,
  3,
  57,
  61,
  0,
  8,
  5,
  41,
  14,
  43,
  27,
  43,
  59,
  31,
  35,
  39,
  60,
  42,
  38,
  13,
  54,
  62,
  1,
  26,
  3,
  11,
  61,
  52,
  34,
  7,
  48,
  4,
  59,
  22,
  12,
  22,
  8,
  50,
  4,
  10,
  6,
  44,
  8,
  11,
  46,
  31,
  51,
  53,
  17,
  1,
  43,
  46,
  60,
  36,
  54,
  10,
  27,
  39,
  44,
  22,
  41,
  23,
  2,
  44,
  0,
  40,
  53,
  40,
  48,
  16,
  43,
  32,
  28,
  33,
  12,
  20,
  2,
  56,
  62,
  55,
  58,
  18,
  20,
  13,
  55,
  38,
  29,
  57,
  19,
  49,
  33,
  47,
  63,
  59,
  0,
  35,
  61,
  19,
  25,
  46,
  38,
  60,
  4,
  35,
  1,
  26,
  40,
  28,
  10,
  5,
  14,
  25,
  18,
  48,
  49,
  20,
  59,
  62,
  34,
  46,
  7,
  33,
  52,
  34,
  58,
  9,
  29,
  8,
  55,
  62,
  60,
  37,
  36,
  37,
  50,
  6,
  3,
  10,
  28,
  48,
  24,
  26,
  61,
  57,
  30,
  11,
  54,
  2,
  6,
  50,
  47,
  7,
  17,
  35,
  53,
  32,
  12,
  23,
  17,
  5,
  21,
  49,
  55,
  51,
  45,
  52,
  27,
  39,
  25,
  39,
  63,
  22,
  24,
  42,
  52,
  56,
  38,
  41,
  41,
  56,
  32,
  13,
  24,
  26,
  51,
  27,
  56,
  58,
  37,
  24,
  42,
  15,
  28,
  17,
  30,
  31,
  15,
  16,
  23,
  25,
  54,
  33,
  34,
  1,
  29,
  31,
  50,
  53,
  21,
  49,
  15,
  47,
  9,
  0,
  58,
  37,
  45,
  30,
  13,
  9,
  45,
  63,
  21,
);

/** When the model learns and how runs are coded: one for the three colour channels together, one for alpha or gray. */
export class QuicState {
  /** Pixels to go until the next model update. */
  waitCount = 0;
  private seed = 255;
  waitIndex = 0;
  /** Pixels left under the present wait mask. */
  waitLeft = QUIC_WAIT_NEXT;
  trigger = quicTrigger[0];
  runState = 0;

  reset(): void {
    this.waitCount = 0;
    this.seed = 255;
    this.waitIndex = 0;
    this.waitLeft = QUIC_WAIT_NEXT;
    this.trigger = quicTrigger[0];
    this.runState = 0;
  }

  /** Pixels to skip before the next model update. */
  nextWait(): number {
    this.seed = (this.seed + 1) & 255;
    return quicChaos[this.seed] & ((1 << this.waitIndex) - 1);
  }

  /** Goes over to the next wider wait mask. */
  widen(): void {
    this.waitIndex++;
    this.trigger = quicTrigger[this.waitIndex];
    this.waitLeft = QUIC_WAIT_NEXT;
  }
}

/** The adaptive model of one colour channel. */
export class QuicChannel {
  readonly family: QuicFamily;
  /**
   * Symbol of each pixel of the row in work at [x + 1]; [0] is the context of the first pixel: the symbol of pixel 0 one row
   * above. Entries that a run skipped keep the value of an older row. That is part of the format.
   */
  symbols: Uint8Array = new Uint8Array(0);
  /** Best code, already shifted left by 8, for each context symbol. */
  readonly best = new Uint16Array(256);
  /** Bits that each code would have spent, at [bucket * 8 + code]. */
  private readonly counters = new Uint32Array(64);

  constructor(family: QuicFamily) {
    this.family = family;
  }

  reset(width: number): void {
    if (this.symbols.length < width + 1) this.symbols = new Uint8Array(width + 1);
    this.symbols.fill(0);
    this.counters.fill(0);
    this.best.fill((this.family.bpc - 1) << 8);
  }

  /** Learns that `symbol` followed `context`. */
  update(context: number, symbol: number, trigger: number): void {
    const { counters, family } = this;
    const bucket = family.bucketOf[context];
    const base = bucket * 8;
    let best = family.bpc - 1;
    let least = Infinity;
    for (let l = family.bpc - 1; l >= 0; l--) {
      const spent = (counters[base + l] += family.codeLength[(l << 8) | symbol]);
      if (spent < least) {
        least = spent;
        best = l;
      }
    }
    if (least > trigger) for (let l = 0; l < family.bpc; l++) counters[base + l] >>= 1;
    const first = (1 << bucket) - 1;
    const end = bucket === family.buckets - 1 ? family.mask + 1 : 2 * first + 1;
    this.best.fill(best << 8, first, end);
  }
}

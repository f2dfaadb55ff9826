/**
 * The Golomb-Rice code family of QUIC for channels of `bpc` bits (8, or 5 for RGB16), and the two maps that go with it:
 * residual to symbol, and symbol to model bucket.
 *
 * Code l of symbol n: with P = min(26 - bpc, 2^(bpc-l) - 1) and G = P << l, a symbol n < G is (n >> l) zero bits, a one, and the
 * l low bits of n; a symbol n >= G is P zero bits and n - G in ceil(log2(2^bpc - G)) bits.
 */
export class QuicFamily {
  readonly bpc: number;
  /** 2^bpc - 1. */
  readonly mask: number;
  /** Code word of symbol n under code l at [l << 8 | n]. */
  readonly code = new Uint32Array(8 << 8);
  /** Its length in bits, same index. */
  readonly codeLength = new Uint8Array(8 << 8);
  /** P of each code. */
  readonly prefixLimit = new Uint8Array(8);
  /** G of each code. */
  readonly escapeBase = new Uint16Array(8);
  /** Bits after the P zeros of an escaped symbol. */
  readonly suffixLength = new Uint8Array(8);
  /** Symbol of a residual (pixel - prediction) & mask: small differences of either sign become small symbols. */
  readonly symbolOf = new Uint8Array(256);
  /** Residual of a symbol. */
  readonly residualOf = new Uint8Array(256);
  /** Model bucket of a context symbol: {0} {1-2} {3-6} {7-14} {15-30} {31-62} {63-126} {127-255}. */
  readonly bucketOf = new Uint8Array(256);
  readonly buckets: number;

  constructor(bpc: number) {
    this.bpc = bpc;
    this.mask = (1 << bpc) - 1;
    for (let l = 0; l < bpc; l++) {
      const limit = Math.min(26 - bpc, (1 << (bpc - l)) - 1);
      const base = limit << l;
      const suffix = 32 - Math.clz32((1 << bpc) - base - 1);
      this.prefixLimit[l] = limit;
      this.escapeBase[l] = base;
      this.suffixLength[l] = suffix;
      for (let n = 0; n <= this.mask; n++) {
        const escaped = n >= base;
        this.code[(l << 8) | n] = escaped ? n - base : (1 << l) | (n & ((1 << l) - 1));
        this.codeLength[(l << 8) | n] = escaped ? limit + suffix : (n >> l) + 1 + l;
      }
    }
    for (let u = 0; u <= this.mask; u++) {
      const symbol = u <= this.mask >> 1 ? 2 * u : 2 * (this.mask - u) + 1;
      this.symbolOf[u] = symbol;
      this.residualOf[symbol] = u;
    }
    // The last bucket is cut at the top: {127-255} of 8 bits, {15-31} of 5 bits have one value more than 2^k.
    this.buckets = bpc;
    for (let n = 0; n <= this.mask; n++) this.bucketOf[n] = Math.min(31 - Math.clz32(n + 1), bpc - 1);
  }
}

/** Channels of 8 bits: GRAY, RGB24, RGB32, RGBA. */
export const family8 = new QuicFamily(8);
/** Channels of 5 bits: RGB16. */
export const family5 = new QuicFamily(5);

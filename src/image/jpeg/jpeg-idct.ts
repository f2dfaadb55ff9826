/** Bits of the fractions of the constants, and bits that the first pass keeps of its results. */
const CONST_BITS = 13;
const PASS1_BITS = 2;

// Cosines and their sums in fixed point with CONST_BITS, by the names they have as decimals.
const F_0_298631336 = 2446;
const F_0_390180644 = 3196;
const F_0_541196100 = 4433;
const F_0_765366865 = 6270;
const F_0_899976223 = 7373;
const F_1_175875602 = 9633;
const F_1_501321110 = 12299;
const F_1_847759065 = 15137;
const F_1_961570560 = 16069;
const F_2_053119869 = 16819;
const F_2_562915447 = 20995;
const F_3_072711026 = 25172;

const work = new Int32Array(64);
const rowOut = new Int32Array(8);

/**
 * Inverse DCT of one block: dequantised coefficients (row-major) to samples 0..255 at `out[at]`, rows `stride` apart. The integer
 * algorithm of Loeffler, Ligtenberg and Moschytz with the rounding of the Independent JPEG Group's accurate ("islow") version: a
 * decoder is free to differ by a level, but equal samples make equal pixels, which tests can compare.
 */
export function inverseDct(coefficients: Int32Array, out: Uint8Array, at: number, stride: number): void {
  for (let x = 0; x < 8; x++) pass(coefficients, x, 8, CONST_BITS - PASS1_BITS, 0, work, x, 8);
  // Both passes scale by the square root of 8: three bits more to shift away. 128 is what the encoder took off.
  const shift = CONST_BITS + PASS1_BITS + 3;
  for (let y = 0; y < 8; y++) {
    pass(work, 8 * y, 1, shift, 128, rowOut, 0, 1);
    const to = at + y * stride;
    for (let x = 0; x < 8; x++) {
      const sample = rowOut[x];
      out[to + x] = sample < 0 ? 0 : sample > 255 ? 255 : sample;
    }
  }
}

/** A block of nothing but coefficient 0: the same samples as inverseDct's. */
export function inverseDctFlat(coefficient: number, out: Uint8Array, at: number, stride: number): void {
  const sample = Math.min(255, Math.max(0, ((coefficient + 4) >> 3) + 128));
  for (let y = 0; y < 8; y++) out.fill(sample, at + y * stride, at + y * stride + 8);
}

/** One dimension: eight values `step` apart from `from`, to eight values `toStep` apart from `to`, rounded, shifted, plus `offset`. */
function pass(
  input: Int32Array,
  from: number,
  step: number,
  shift: number,
  offset: number,
  output: Int32Array,
  to: number,
  toStep: number,
): void {
  const c0 = input[from];
  const c1 = input[from + step];
  const c2 = input[from + 2 * step];
  const c3 = input[from + 3 * step];
  const c4 = input[from + 4 * step];
  const c5 = input[from + 5 * step];
  const c6 = input[from + 6 * step];
  const c7 = input[from + 7 * step];
  // Even part.
  const even = Math.imul(c2 + c6, F_0_541196100);
  const even2 = even - Math.imul(c6, F_1_847759065);
  const even3 = even + Math.imul(c2, F_0_765366865);
  const sum = (c0 + c4) << CONST_BITS;
  const difference = (c0 - c4) << CONST_BITS;
  const e0 = sum + even3;
  const e3 = sum - even3;
  const e1 = difference + even2;
  const e2 = difference - even2;
  // Odd part.
  const z5 = Math.imul(c7 + c3 + c5 + c1, F_1_175875602);
  const z1 = -Math.imul(c7 + c1, F_0_899976223);
  const z2 = -Math.imul(c5 + c3, F_2_562915447);
  const z3 = z5 - Math.imul(c7 + c3, F_1_961570560);
  const z4 = z5 - Math.imul(c5 + c1, F_0_390180644);
  const o0 = Math.imul(c7, F_0_298631336) + z1 + z3;
  const o1 = Math.imul(c5, F_2_053119869) + z2 + z4;
  const o2 = Math.imul(c3, F_3_072711026) + z2 + z3;
  const o3 = Math.imul(c1, F_1_501321110) + z1 + z4;
  const half = 1 << (shift - 1);
  output[to] = ((e0 + o3 + half) >> shift) + offset;
  output[to + 7 * toStep] = ((e0 - o3 + half) >> shift) + offset;
  output[to + toStep] = ((e1 + o2 + half) >> shift) + offset;
  output[to + 6 * toStep] = ((e1 - o2 + half) >> shift) + offset;
  output[to + 2 * toStep] = ((e2 + o1 + half) >> shift) + offset;
  output[to + 5 * toStep] = ((e2 - o1 + half) >> shift) + offset;
  output[to + 3 * toStep] = ((e3 + o0 + half) >> shift) + offset;
  output[to + 4 * toStep] = ((e3 - o0 + half) >> shift) + offset;
}

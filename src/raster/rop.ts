import { Ropd } from "../protocol/enums.ts";

export { Ropd };

/**
 * The sixteen functions of two bits, as their truth table: bit (2 * source + destination) of the code is the result. X11 orders
 * the same functions otherwise.
 */
export const Rop = {
  CLEAR: 0b0000,
  NOR: 0b0001,
  AND_INVERTED: 0b0010,
  COPY_INVERTED: 0b0011,
  AND_REVERSE: 0b0100,
  INVERT: 0b0101,
  XOR: 0b0110,
  NAND: 0b0111,
  AND: 0b1000,
  EQUIV: 0b1001,
  NOOP: 0b1010,
  OR_INVERTED: 0b1011,
  COPY: 0b1100,
  OR_REVERSE: 0b1101,
  OR: 0b1110,
  SET: 0b1111,
} as const;
export type Rop = (typeof Rop)[keyof typeof Rop];

/**
 * The rop of a descriptor whose first operand is inverted by `inversSource` and the second by `inversDest` (each an INVERS_ bit
 * of {@link Ropd}). A descriptor without any OP_ bit is a copy, as in the reference.
 */
export function ropFromDescriptor(descriptor: number, inversSource: number, inversDest: number): Rop {
  // Truth tables of the operands themselves; inverting an operand is inverting its table.
  let source: number = Rop.COPY;
  let dest: number = Rop.NOOP;
  if (descriptor & inversSource) source ^= 0b1111;
  if (descriptor & inversDest) dest ^= 0b1111;
  let table: number;
  if (descriptor & Ropd.OpPut) table = source;
  else if (descriptor & Ropd.OpOr) table = source | dest;
  else if (descriptor & Ropd.OpAnd) table = source & dest;
  else if (descriptor & Ropd.OpXor) table = source ^ dest;
  else if (descriptor & Ropd.OpBlackness) return Rop.CLEAR;
  else if (descriptor & Ropd.OpWhiteness) return Rop.SET;
  else if (descriptor & Ropd.OpInvers) return Rop.INVERT;
  else return Rop.COPY;
  return (descriptor & Ropd.InversRes ? table ^ 0b1111 : table) as Rop;
}

/** Whether the result depends on what was there before. */
export function ropReadsDest(rop: Rop): boolean {
  return ((rop >> 1) & 0b101) !== (rop & 0b101);
}

/** `source[i] = source[i] rop dest[i]` for the first `count` pixels. */
export function applyRop(rop: Rop, source: Uint32Array, dest: Uint32Array, count: number): void {
  switch (rop) {
    case Rop.COPY:
      return;
    case Rop.XOR:
      for (let i = 0; i < count; i++) source[i] ^= dest[i];
      return;
    case Rop.AND:
      for (let i = 0; i < count; i++) source[i] &= dest[i];
      return;
    case Rop.OR:
      for (let i = 0; i < count; i++) source[i] |= dest[i];
      return;
    default:
  }
  // Sum of products: each set bit of the table is one term.
  const both = rop & 8 ? -1 : 0;
  const sourceOnly = rop & 4 ? -1 : 0;
  const destOnly = rop & 2 ? -1 : 0;
  const neither = rop & 1 ? -1 : 0;
  for (let i = 0; i < count; i++) {
    const s = source[i];
    const d = dest[i];
    source[i] = (both & s & d) | (sourceOnly & s & ~d) | (destOnly & ~s & d) | (neither & ~s & ~d);
  }
}

/** `dest[i]` becomes the ternary operation of pattern, source and dest: bit (4 * pattern + 2 * source + dest) of `rop3`. */
export function applyRop3(
  rop3: number,
  pattern: Uint32Array,
  source: Uint32Array,
  dest: Uint32Array,
  count: number,
): void {
  const t0 = -(rop3 & 1);
  const t1 = -((rop3 >> 1) & 1);
  const t2 = -((rop3 >> 2) & 1);
  const t3 = -((rop3 >> 3) & 1);
  const t4 = -((rop3 >> 4) & 1);
  const t5 = -((rop3 >> 5) & 1);
  const t6 = -((rop3 >> 6) & 1);
  const t7 = -((rop3 >> 7) & 1);
  for (let i = 0; i < count; i++) {
    const p = pattern[i];
    const s = source[i];
    const d = dest[i];
    const without = (~s & ((t0 & ~d) | (t1 & d))) | (s & ((t2 & ~d) | (t3 & d)));
    const withPattern = (~s & ((t4 & ~d) | (t5 & d))) | (s & ((t6 & ~d) | (t7 & d)));
    dest[i] = (~p & without) | (p & withPattern);
  }
}

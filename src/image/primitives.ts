import type { ImageModule } from "./module.ts";

/**
 * Memory-to-memory work on surfaces in a SurfaceHeap. Pointers are addresses of a first row, strides are bytes and may be negative,
 * lengths of rows are bytes unless called widths. Nothing is clipped: callers pass rectangles that lie inside their allocations.
 * The WebAssembly module has these as they are; PlainPrimitives is the fallback and the oracle.
 */
export type SurfacePrimitives = Pick<
  ImageModule,
  "copyRect" | "fillRect" | "ropRect" | "ropFill" | "overRect" | "convertRect" | "hashRect" | "hashUpper"
>;

/**
 * The 16 operations of ropRect and ropFill by their X11 names: a truth table of (source << 1 | destination), so 12 is the
 * source itself and 10 the destination.
 */
export const Rop2 = {
  CLEAR: 0,
  NOR: 1,
  AND_INVERTED: 2,
  COPY_INVERTED: 3,
  AND_REVERSE: 4,
  INVERT: 5,
  XOR: 6,
  NAND: 7,
  AND: 8,
  EQUIV: 9,
  NOOP: 10,
  OR_INVERTED: 11,
  COPY: 12,
  OR_REVERSE: 13,
  OR: 14,
  SET: 15,
} as const;
export type Rop2 = (typeof Rop2)[keyof typeof Rop2];

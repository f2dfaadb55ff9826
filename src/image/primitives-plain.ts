import { BitmapFmt } from "./formats.ts";
import type { SurfaceHeap } from "./heap.ts";
import { hashPixels } from "./pixel-hash.ts";
import type { SurfacePrimitives } from "./primitives.ts";

/** Product of two bytes as fractions of 255, rounded as pixman does. */
function multiply(a: number, b: number): number {
  const t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

/** `op` applied bit by bit; see Rop2. */
function combine(op: number, source: number, destination: number): number {
  return (
    (op & 8 ? source & destination : 0) |
    (op & 4 ? source & ~destination : 0) |
    (op & 2 ? ~source & destination : 0) |
    (op & 1 ? ~source & ~destination : 0)
  );
}

/** SurfacePrimitives in plain TypeScript. */
export class PlainPrimitives implements SurfacePrimitives {
  private readonly heap: SurfaceHeap;
  private upper = 0;

  constructor(heap: SurfaceHeap) {
    this.heap = heap;
  }

  copyRect(
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    length: number,
    height: number,
  ): void {
    const { u8 } = this.heap;
    const backwards = to > from === toStride > 0;
    for (let k = 0; k < height; k++) {
      const row = backwards ? height - 1 - k : k;
      const at = from + row * fromStride;
      u8.copyWithin(to + row * toStride, at, at + length);
    }
  }

  fillRect(to: number, stride: number, length: number, height: number, pattern: number): void {
    this.ropFill(12, to, stride, length, height, pattern);
  }

  ropRect(
    op: number,
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    length: number,
    height: number,
  ): void {
    const { u8 } = this.heap;
    for (let y = 0; y < height; y++, to += toStride, from += fromStride) {
      for (let x = 0; x < length; x++) u8[to + x] = combine(op, u8[from + x], u8[to + x]);
    }
  }

  ropFill(op: number, to: number, stride: number, length: number, height: number, pattern: number): void {
    const { u8 } = this.heap;
    for (let y = 0; y < height; y++, to += stride) {
      for (let x = 0; x < length; x++) u8[to + x] = combine(op, pattern >> (8 * (x & 3)), u8[to + x]);
    }
  }

  overRect(
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    width: number,
    height: number,
    opacity: number,
    opaque: boolean,
  ): void {
    const { u8 } = this.heap;
    for (let y = 0; y < height; y++, to += toStride, from += fromStride) {
      for (let x = 0; x < 4 * width; x += 4) {
        const keep = 255 - multiply(opaque ? 255 : u8[from + x + 3], opacity);
        for (let c = 0; c < 4; c++) {
          const source = multiply(c === 3 && opaque ? 255 : u8[from + x + c], opacity);
          u8[to + x + c] = Math.min(255, source + multiply(u8[to + x + c], keep));
        }
      }
    }
  }

  convertRect(
    format: number,
    from: number,
    fromStride: number,
    width: number,
    height: number,
    to: number,
    toStride: number,
    palette: number,
  ): void {
    const { u8 } = this.heap;
    const put = (at: number, b: number, g: number, r: number, a: number): void => {
      u8[at] = b;
      u8[at + 1] = g;
      u8[at + 2] = r;
      u8[at + 3] = a;
    };
    const index = (at: number, x: number): number => {
      switch (format) {
        case BitmapFmt.Bit1Le:
          return (u8[at + (x >> 3)] >> (x & 7)) & 1;
        case BitmapFmt.Bit1Be:
          return (u8[at + (x >> 3)] >> (7 - (x & 7))) & 1;
        case BitmapFmt.Bit4Le:
          return (u8[at + (x >> 1)] >> (4 * (x & 1))) & 15;
        case BitmapFmt.Bit4Be:
          return (u8[at + (x >> 1)] >> (4 - 4 * (x & 1))) & 15;
        default:
          return u8[at + x];
      }
    };
    for (let y = 0; y < height; y++, from += fromStride, to += toStride) {
      for (let x = 0; x < width; x++) {
        const at = to + 4 * x;
        switch (format) {
          case BitmapFmt.Bit16: {
            const p = u8[from + 2 * x] | (u8[from + 2 * x + 1] << 8);
            const wide = (v: number): number => (v << 3) | (v >> 2);
            put(at, wide(p & 31), wide((p >> 5) & 31), wide((p >> 10) & 31), 0);
            break;
          }
          case BitmapFmt.Bit24:
            put(at, u8[from + 3 * x], u8[from + 3 * x + 1], u8[from + 3 * x + 2], 0);
            break;
          case BitmapFmt.Bit32:
          case BitmapFmt.Rgba:
            put(
              at,
              u8[from + 4 * x],
              u8[from + 4 * x + 1],
              u8[from + 4 * x + 2],
              format === BitmapFmt.Rgba ? u8[from + 4 * x + 3] : 0,
            );
            break;
          case BitmapFmt.Bit8A:
            put(at, 0, 0, 0, u8[from + x]);
            break;
          default: {
            const colour = palette + 4 * index(from, x);
            put(at, u8[colour], u8[colour + 1], u8[colour + 2], u8[colour + 3]);
          }
        }
      }
    }
  }

  hashRect(from: number, stride: number, length: number, height: number, seed: number, pad: boolean): number {
    const [low, high] = hashPixels(this.heap.u8, from, stride, length, height, seed, pad);
    this.upper = high;
    return low;
  }

  hashUpper(): number {
    return this.upper;
  }
}

import { emitLiterals, emitLzMatch } from "./lz-emit.ts";
import { LZ_FAR, LZ_NEAR } from "./lz-format.ts";
import { lengthBias } from "../units.ts";

/** log2 of the hash table: larger tables find a little more and miss the processor's cache. */
export const LZ_HASH_BITS = 14;
/** 2^10 misses in a row make the search step one unit wider: noise is not searched pixel by pixel. (6 is twice as fast on photographs and makes them half a per cent larger.) */
export const LZ_SKIP_SHIFT = 10;

/** The same of GLZ, whose larger table makes a search dearer. */
export const GLZ_SKIP_SHIFT = 6;

/** Multiplicative mix of three units; its upper bits are a hash. */
export function mixUnits(a: number, b: number, c: number): number {
  return (Math.imul(a, 0x9e3779b1) + Math.imul(b, 0x85ebca6b) + Math.imul(c, 0xc2b2ae35)) | 0;
}

/** Hash of three units in `bits` bits. */
export function hashUnits(a: number, b: number, c: number, bits: number): number {
  return mixUnits(a, b, c) >>> (32 - bits);
}

/** Number of equal units at `i` and `j < i`, both before `end`. */
export function matchLength(units: Uint32Array, j: number, i: number, end: number): number {
  const start = i;
  while (i < end && units[i] === units[j]) {
    i++;
    j++;
  }
  return i - start;
}

/**
 * The searcher of the LZ encoder. At each unit it tries, in order: a run (distance 1), the unit above (distance = row), and the
 * last place where the same three units hashed to. It keeps the table from image to image without clearing: an entry is a
 * position plus `base`, and `base` grows by each image, so that older entries fall below it.
 */
export class LzMatcher {
  private readonly table = new Int32Array(1 << LZ_HASH_BITS);
  private base = 1;

  /**
   * Writes the ops of `units[0..count]`, rows of `row` units, at `out[at..]`; `out` must have room for lzWorstBytes.
   * Returns the new end of the output.
   */
  encode(
    units: Uint32Array,
    count: number,
    row: number,
    literal: 1 | 2 | 3,
    out: Uint8Array,
    at: number,
  ): number {
    const { table } = this;
    if (this.base + count > 0x7fffffff) {
      table.fill(0);
      this.base = 1;
    }
    const { base } = this;
    this.base += count;
    const bias = lengthBias(literal);
    // Shortest match worth two bytes, and worth four.
    const nearest = literal === 1 ? 3 : 2;
    const farthest = literal === 1 ? 6 : literal === 2 ? 3 : 2;
    const last = count - 3;
    let pending = 0; // first literal not yet written
    let i = 1;
    let misses = 0;
    while (i <= last) {
      const unit = units[i];
      const second = units[i + 1];
      let length = 0;
      let from = -1;
      if (units[i - 1] === unit && second === unit) {
        from = i - 1;
        length = 2 + matchLength(units, i + 1, i + 2, count);
      }
      if (i >= row && units[i - row] === unit && units[i - row + 1] === second) {
        const above = 2 + matchLength(units, i - row + 2, i + 2, count);
        if (above > length) {
          from = i - row;
          length = above;
        }
      }
      if (length < 3 || from !== i - 1) {
        const slot = hashUnits(unit, second, units[i + 2], LZ_HASH_BITS);
        const seen = table[slot] - base;
        table[slot] = i + base;
        if (
          seen >= 0 &&
          seen !== from &&
          i - seen - 1 <= LZ_FAR &&
          units[seen] === unit &&
          units[seen + 1] === second
        ) {
          const found = 2 + matchLength(units, seen + 2, i + 2, count);
          if (found > length + 1) {
            from = seen;
            length = found;
          }
        }
      }
      const far = i - from - 1;
      if (length < (far < LZ_NEAR ? nearest : farthest)) {
        i += 1 + (misses++ >> LZ_SKIP_SHIFT);
        continue;
      }
      while (i - 1 > pending && from > 0 && units[i - 1] === units[from - 1]) {
        i--;
        from--;
        length++;
      }
      at = emitLiterals(units, pending, i, literal, out, at);
      at = emitLzMatch(length - bias, far, out, at);
      i += length;
      pending = i;
      misses = 0;
      if (i <= last) {
        // The last two places of the match: what follows it often comes again with it.
        for (let k = i - 2; k < i; k++)
          table[hashUnits(units[k], units[k + 1], units[k + 2], LZ_HASH_BITS)] = k + base;
      }
    }
    return emitLiterals(units, pending, count, literal, out, at);
  }
}

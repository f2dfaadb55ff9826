import type { Rect } from "../protocol/red-command.ts";

/** Which pixels of two operands a combination keeps: bit 0 only in the first, bit 1 only in the second, bit 2 in both. */
const UNION = 0b111;
const INTERSECT = 0b100;
const SUBTRACT = 0b001;

/** Collects boxes band by band and joins a band to the one above it when both have the same spans. */
export class BandWriter {
  boxes = new Int32Array(64);
  /** In numbers, four a box. */
  length = 0;
  #above = -1;
  #start = 0;

  beginBand(): void {
    this.#start = this.length;
  }

  span(x1: number, y1: number, x2: number, y2: number): void {
    const { length } = this;
    if (length > this.#start && this.boxes[length - 2] === x1) {
      this.boxes[length - 2] = x2;
      return;
    }
    if (length + 4 > this.boxes.length) {
      const wider = new Int32Array(this.boxes.length * 2);
      wider.set(this.boxes);
      this.boxes = wider;
    }
    this.boxes[length] = x1;
    this.boxes[length + 1] = y1;
    this.boxes[length + 2] = x2;
    this.boxes[length + 3] = y2;
    this.length = length + 4;
  }

  endBand(): void {
    const start = this.#start;
    const size = this.length - start;
    if (size === 0) return;
    if (this.#isSameAsAbove(start, size)) {
      const bottom = this.boxes[start + 3];
      for (let i = this.#above + 3; i < start; i += 4) this.boxes[i] = bottom;
      this.length = start;
    } else this.#above = start;
  }

  #isSameAsAbove(start: number, size: number): boolean {
    const above = this.#above;
    const { boxes } = this;
    if (above < 0 || start - above !== size || boxes[above + 3] !== boxes[start + 1]) return false;
    for (let i = 0; i < size; i += 4) {
      if (boxes[above + i] !== boxes[start + i] || boxes[above + i + 2] !== boxes[start + i + 2])
        return false;
    }
    return true;
  }

  finish(): Int32Array {
    return this.boxes.slice(0, this.length);
  }
}

/** Index just behind the band that begins at `from`. */
function bandEnd(boxes: Int32Array, from: number): number {
  const top = boxes[from + 1];
  let end = from + 4;
  while (end < boxes.length && boxes[end + 1] === top) end += 4;
  return end;
}

/** One band: the spans a[a1..a2) and b[b1..b2) combined by `keep`, written for rows y1..y2. */
function combineBand(
  out: BandWriter,
  a: Int32Array,
  a1: number,
  a2: number,
  b: Int32Array,
  b1: number,
  b2: number,
  y1: number,
  y2: number,
  keep: number,
): void {
  out.beginBand();
  let insideA = false;
  let insideB = false;
  let x = 0;
  while (a1 < a2 || b1 < b2) {
    const nextA = a1 < a2 ? a[insideA ? a1 + 2 : a1] : Infinity;
    const nextB = b1 < b2 ? b[insideB ? b1 + 2 : b1] : Infinity;
    const next = Math.min(nextA, nextB);
    const held = insideA ? (insideB ? 4 : 1) : insideB ? 2 : 0;
    if (held & keep && x < next) out.span(x, y1, next, y2);
    if (nextA === next) {
      if (insideA) a1 += 4;
      insideA = !insideA;
    }
    if (nextB === next) {
      if (insideB) b1 += 4;
      insideB = !insideB;
    }
    x = next;
  }
  out.endBand();
}

function combine(a: Int32Array, b: Int32Array, keep: number): Int32Array {
  const out = new BandWriter();
  let ai = 0;
  let bi = 0;
  let aEnd = a.length > 0 ? bandEnd(a, 0) : 0;
  let bEnd = b.length > 0 ? bandEnd(b, 0) : 0;
  let y = -Infinity;
  while (ai < a.length || bi < b.length) {
    const aTop = ai < a.length ? Math.max(a[ai + 1], y) : Infinity;
    const bTop = bi < b.length ? Math.max(b[bi + 1], y) : Infinity;
    const top = Math.min(aTop, bTop);
    const inA = aTop === top;
    const inB = bTop === top;
    const bottom = Math.min(inA ? a[ai + 3] : aTop, inB ? b[bi + 3] : bTop);
    combineBand(out, a, inA ? ai : 0, inA ? aEnd : 0, b, inB ? bi : 0, inB ? bEnd : 0, top, bottom, keep);
    y = bottom;
    if (inA && a[ai + 3] === bottom) {
      ai = aEnd;
      if (ai < a.length) aEnd = bandEnd(a, ai);
    }
    if (inB && b[bi + 3] === bottom) {
      bi = bEnd;
      if (bi < b.length) bEnd = bandEnd(b, bi);
    }
  }
  return out.finish();
}

/**
 * A set of pixels as y-x banded boxes, as X regions and pixman's: boxes are sorted by top and then left, boxes of one band have
 * equal top and bottom and neither overlap nor touch, and neighbouring bands with equal spans are one. So equal sets have equal
 * boxes. Immutable. Coordinates are signed 32 bit pixels.
 */
export class Region {
  static readonly empty = new Region(new Int32Array(0));

  /** Four numbers a box: x1, y1, x2, y2, half open. Not to be written. */
  readonly boxes: Int32Array;

  private constructor(boxes: Int32Array) {
    this.boxes = boxes;
  }

  /** The pixels of one rectangle; empty when it is empty or inside out. */
  static rect(rect: Rect): Region {
    const { top, left, bottom, right } = rect;
    return left < right && top < bottom ? new Region(Int32Array.of(left, top, right, bottom)) : Region.empty;
  }

  /** @param boxes as a {@link BandWriter} collects them. */
  static ofBands(boxes: Int32Array): Region {
    return boxes.length === 0 ? Region.empty : new Region(boxes);
  }

  /** The union of rectangles, which may overlap and come in any order. */
  static union(rects: Iterable<Rect>): Region {
    let level = Array.from(rects, (rect) => Region.rect(rect));
    // Pairwise, so that N rectangles cost N log N boxes.
    while (level.length > 1) {
      const next: Region[] = [];
      for (let i = 0; i < level.length; i += 2) {
        next.push(i + 1 < level.length ? level[i].union(level[i + 1]) : level[i]);
      }
      level = next;
    }
    return level[0] ?? Region.empty;
  }

  get isEmpty(): boolean {
    return this.boxes.length === 0;
  }

  /** Number of rectangles. */
  get size(): number {
    return this.boxes.length >> 2;
  }

  /** Number of pixels. */
  get area(): number {
    const { boxes } = this;
    let area = 0;
    for (let i = 0; i < boxes.length; i += 4)
      area += (boxes[i + 2] - boxes[i]) * (boxes[i + 3] - boxes[i + 1]);
    return area;
  }

  rects(): Rect[] {
    const { boxes } = this;
    const rects: Rect[] = [];
    for (let i = 0; i < boxes.length; i += 4) {
      rects.push({ top: boxes[i + 1], left: boxes[i], bottom: boxes[i + 3], right: boxes[i + 2] });
    }
    return rects;
  }

  /** The smallest rectangle around the region; all zero when it is empty. */
  bounds(): Rect {
    const { boxes } = this;
    if (boxes.length === 0) return { top: 0, left: 0, bottom: 0, right: 0 };
    let left = boxes[0];
    let right = boxes[2];
    for (let i = 4; i < boxes.length; i += 4) {
      left = Math.min(left, boxes[i]);
      right = Math.max(right, boxes[i + 2]);
    }
    return { top: boxes[1], left, bottom: boxes[boxes.length - 1], right };
  }

  contains(x: number, y: number): boolean {
    const { boxes } = this;
    for (let i = 0; i < boxes.length && boxes[i + 1] <= y; i += 4) {
      if (y < boxes[i + 3] && x >= boxes[i] && x < boxes[i + 2]) return true;
    }
    return false;
  }

  /** Whether all of the other region is in this one. */
  includes(other: Region): boolean {
    return other.subtract(this).isEmpty;
  }

  intersects(other: Region): boolean {
    return !this.intersect(other).isEmpty;
  }

  equals(other: Region): boolean {
    const [a, b] = [this.boxes, other.boxes];
    return a.length === b.length && a.every((value, i) => value === b[i]);
  }

  translate(dx: number, dy: number): Region {
    if ((dx === 0 && dy === 0) || this.isEmpty) return this;
    const boxes = this.boxes.slice();
    for (let i = 0; i < boxes.length; i += 2) {
      boxes[i] += dx;
      boxes[i + 1] += dy;
    }
    return new Region(boxes);
  }

  union(other: Region): Region {
    if (this.isEmpty) return other;
    if (other.isEmpty) return this;
    return new Region(combine(this.boxes, other.boxes, UNION));
  }

  intersect(other: Region): Region {
    const [a, b] = [this.boxes, other.boxes];
    if (a.length === 4 && b.length === 4) {
      return Region.rect({
        top: Math.max(a[1], b[1]),
        left: Math.max(a[0], b[0]),
        bottom: Math.min(a[3], b[3]),
        right: Math.min(a[2], b[2]),
      });
    }
    if (!overlap(a, b)) return Region.empty;
    return new Region(combine(a, b, INTERSECT));
  }

  /** The pixels of this region that are not in the other. */
  subtract(other: Region): Region {
    if (!overlap(this.boxes, other.boxes)) return this;
    return new Region(combine(this.boxes, other.boxes, SUBTRACT));
  }
}

/** Whether the rows of two regions meet: a quick answer for most pairs that do not. */
function overlap(a: Int32Array, b: Int32Array): boolean {
  if (a.length === 0 || b.length === 0) return false;
  return a[1] < b[b.length - 1] && b[1] < a[a.length - 1];
}

import type { Rect } from "../protocol/red-command.ts";
import { SORT_COST } from "./costs.ts";
import type { CostMeter, Steps } from "./work.ts";

/** Spans of the rows [top, bottom), as boxes: x1, y1, x2, y2, where only the x are meant. */
export interface BandCursor {
  readonly boxes: Int32Array;
  /** Range of numbers in `boxes`. */
  readonly first: number;
  readonly last: number;
  readonly top: number;
  readonly bottom: number;
  /** Units that the last {@link next} cost by itself. */
  readonly cost: number;
  /** Goes to the next band; false when there is none. */
  next(): boolean;
}

/**
 * The union of any number of rectangles, without ever holding it: the rectangles are sorted by their edges once, and a line that
 * moves over the rows counts how many cover each place. So N rectangles on a surface of W x H pixels cost N plus at most W * H steps
 * and 40 N bytes, however many boxes their union has.
 */
export class ClipSweep {
  /** Edges of each rectangle; x as an index into {@link xs}. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Rectangles in the order of their top, and of their bottom; `…At[y]` is where those of row `y` begin. */
  readonly byTop: Int32Array;
  readonly topAt: Int32Array;
  readonly byBottom: Int32Array;
  readonly bottomAt: Int32Array;
  /** All x where an edge is, ascending. */
  readonly xs: Int32Array;
  /** Where row 0 of the tables is. */
  readonly origin: number;

  private constructor(edges: Edges, xs: Int32Array, byTop: Order, byBottom: Order, origin: number) {
    this.left = edges.left;
    this.right = edges.right;
    this.xs = xs;
    this.byTop = byTop.items;
    this.topAt = byTop.at;
    this.byBottom = byBottom.items;
    this.bottomAt = byBottom.at;
    this.origin = origin;
  }

  /**
   * Sorts the rectangles, cut to `bounds`.
   * @param rects may be four numbers each: top, left, bottom, right
   */
  static *open(rects: readonly Rect[] | Int32Array, bounds: Rect, meter: CostMeter): Steps<ClipSweep> {
    const edges = yield* cutTo(rects, bounds, meter);
    const width = bounds.right - bounds.left;
    const height = bounds.bottom - bounds.top;
    const index = new Int32Array(width + 1);
    yield* inParts(edges.count, meter, (i) => (index[edges.left[i]] = index[edges.right[i]] = 1));
    let count = 0;
    for (let x = 0; x <= width; x++) if (index[x] === 1) count++;
    const xs = new Int32Array(count);
    for (let x = 0, at = 0; x <= width; x++) {
      if (index[x] === 0) continue;
      xs[at] = x + bounds.left;
      index[x] = at++;
    }
    meter.spend(2 * width);
    yield* inParts(edges.count, meter, (i) => {
      edges.left[i] = index[edges.left[i]];
      edges.right[i] = index[edges.right[i]];
    });
    const byTop = yield* order(edges.top, edges.count, height, meter);
    const byBottom = yield* order(edges.bottom, edges.count, height, meter);
    return new ClipSweep(edges, xs, byTop, byBottom, bounds.top);
  }

  /** The bands inside `bounds`, from the top or from the bottom. */
  bands(bounds: Rect, upwards: boolean): BandCursor {
    return new SweepCursor(this, bounds, upwards);
  }
}

interface Edges {
  readonly count: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly top: Int32Array;
  readonly bottom: Int32Array;
}

/** Calls `work` for 0 to `count` - 1, some thousand at a time. */
function* inParts(count: number, meter: CostMeter, work: (i: number) => void): Steps {
  const atOnce = meter.fit(SORT_COST);
  for (let from = 0; from < count; from += atOnce) {
    const to = Math.min(count, from + atOnce);
    for (let i = from; i < to; i++) work(i);
    meter.spend((to - from) * SORT_COST);
    if (meter.isSpent) yield;
  }
}

/** The rectangles' parts inside `bounds`, relative to it. */
function* cutTo(rects: readonly Rect[] | Int32Array, bounds: Rect, meter: CostMeter): Steps<Edges> {
  const total = rects instanceof Int32Array ? rects.length >> 2 : rects.length;
  const [left, right] = [new Int32Array(total), new Int32Array(total)];
  const [top, bottom] = [new Int32Array(total), new Int32Array(total)];
  let count = 0;
  const take = (x1: number, y1: number, x2: number, y2: number): void => {
    x1 = Math.max(x1, bounds.left);
    x2 = Math.min(x2, bounds.right);
    y1 = Math.max(y1, bounds.top);
    y2 = Math.min(y2, bounds.bottom);
    if (x1 >= x2 || y1 >= y2) return;
    left[count] = x1 - bounds.left;
    right[count] = x2 - bounds.left;
    top[count] = y1 - bounds.top;
    bottom[count++] = y2 - bounds.top;
  };
  if (rects instanceof Int32Array) {
    yield* inParts(total, meter, (i) => {
      take(rects[4 * i + 1], rects[4 * i], rects[4 * i + 3], rects[4 * i + 2]);
    });
  } else {
    yield* inParts(total, meter, (i) => {
      const rect = rects[i];
      take(rect.left, rect.top, rect.right, rect.bottom);
    });
  }
  return { count, left, right, top, bottom };
}

interface Order {
  readonly items: Int32Array;
  readonly at: Int32Array;
}

/** Sorts by counting: item numbers by their row 0..height. */
function* order(rows: Int32Array, count: number, height: number, meter: CostMeter): Steps<Order> {
  const at = new Int32Array(height + 2);
  yield* inParts(count, meter, (i) => at[rows[i] + 1]++);
  for (let y = 1; y < at.length; y++) at[y] += at[y - 1];
  const next = at.slice();
  const items = new Int32Array(count);
  yield* inParts(count, meter, (i) => (items[next[rows[i]]++] = i));
  return { items, at };
}

/** One way of the line over the rows. */
class SweepCursor implements BandCursor {
  boxes = new Int32Array(64);
  readonly first = 0;
  last = 0;
  top = 0;
  bottom = 0;
  cost = 0;
  readonly #sweep: ClipSweep;
  readonly #bounds: Rect;
  readonly #upwards: boolean;
  /** Change of the number of rectangles at each of the x. */
  readonly #change: Int32Array;
  /** The row boundary that the line is at, relative to the sweep's origin. */
  #at: number;

  constructor(sweep: ClipSweep, bounds: Rect, upwards: boolean) {
    this.#sweep = sweep;
    this.#bounds = bounds;
    this.#upwards = upwards;
    this.#change = new Int32Array(sweep.xs.length);
    this.#at = upwards ? sweep.topAt.length - 2 : 0;
  }

  next(): boolean {
    const { origin, topAt } = this.#sweep;
    const height = topAt.length - 2;
    const step = this.#upwards ? -1 : 1;
    this.cost = 0;
    for (;;) {
      const from = this.#at;
      if (this.#upwards ? from <= 0 : from >= height) return false;
      this.#cross(from);
      let to = from + step;
      while (to > 0 && to < height && this.#isQuiet(to)) to += step;
      this.#at = to;
      this.cost += Math.abs(to - from);
      this.top = Math.max(origin + Math.min(from, to), this.#bounds.top);
      this.bottom = Math.min(origin + Math.max(from, to), this.#bounds.bottom);
      if (this.top >= this.bottom) continue;
      this.#collect();
      if (this.last > 0) return true;
    }
  }

  /** Whether no rectangle begins or ends at a row boundary. */
  #isQuiet(y: number): boolean {
    const { topAt, bottomAt } = this.#sweep;
    return topAt[y] === topAt[y + 1] && bottomAt[y] === bottomAt[y + 1];
  }

  /** Counts those that begin and end at a row boundary. */
  #cross(y: number): void {
    const { byTop, topAt, byBottom, bottomAt } = this.#sweep;
    const sign = this.#upwards ? -1 : 1;
    for (let i = topAt[y]; i < topAt[y + 1]; i++) this.#count(byTop[i], sign);
    for (let i = bottomAt[y]; i < bottomAt[y + 1]; i++) this.#count(byBottom[i], -sign);
    this.cost += 3 * (topAt[y + 1] - topAt[y] + bottomAt[y + 1] - bottomAt[y]);
  }

  #count(rect: number, by: number): void {
    this.#change[this.#sweep.left[rect]] += by;
    this.#change[this.#sweep.right[rect]] -= by;
  }

  /** Writes the covered spans of the present rows. */
  #collect(): void {
    const { xs } = this.#sweep;
    const change = this.#change;
    const { left, right } = this.#bounds;
    let covered = 0;
    let start = 0;
    let length = 0;
    for (let i = 0; i < xs.length; i++) {
      const before = covered;
      covered += change[i];
      if (before === 0 && covered !== 0) start = Math.max(xs[i], left);
      else if (before !== 0 && covered === 0) {
        const end = Math.min(xs[i], right);
        if (start < end) length = this.#write(length, start, end);
      }
    }
    this.last = length;
    this.cost += 4 * xs.length;
  }

  #write(at: number, x1: number, x2: number): number {
    if (at + 4 > this.boxes.length) {
      const wider = new Int32Array(this.boxes.length * 2);
      wider.set(this.boxes);
      this.boxes = wider;
    }
    this.boxes[at] = x1;
    this.boxes[at + 1] = this.top;
    this.boxes[at + 2] = x2;
    this.boxes[at + 3] = this.bottom;
    return at + 4;
  }
}

import { BAND_COST } from "./limits.ts";

/**
 * Work that can be laid aside: at each `yield` its thread may do something else first, and goes on by `next()`. It yields only when
 * its {@link CostMeter} is spent, so what is cheap ends with the first `next()`.
 */
export type Steps<T = void> = Generator<undefined, T, undefined>;

/**
 * Counts what work costs, in units of about a nanosecond (see costs.ts): a count, not a clock, so that the same commands are cut at
 * the same places on every machine.
 */
export class CostMeter {
  /** Units until {@link isSpent}; may become negative by what is done in one go. */
  left: number;
  /** Units of the largest piece that is done in one go. */
  readonly band: number;

  constructor(left: number, band: number = BAND_COST) {
    this.left = left;
    this.band = band;
  }

  spend(cost: number): void {
    this.left -= cost;
  }

  get isSpent(): boolean {
    return this.left <= 0;
  }

  /** How many things of `cost` units each are done in one go; at least one. */
  fit(cost: number): number {
    return Math.max(1, Math.floor(this.band / cost));
  }
}

/** A meter that is never spent: work with it ends with the first `next()`. */
export function unlimited(): CostMeter {
  return new CostMeter(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
}

/** Does all of it now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** One codec on one picture in one cut: both sides' ways to encode a tile, each returning the bytes it made. */
export interface Contest {
  readonly codec: string;
  readonly picture: string;
  readonly cut: string;
  /** Source bytes of all tiles. */
  readonly bytes: number;
  readonly tiles: number;
  /** Called before each pass over the tiles, outside the measured time. */
  prepare?(): void;
  reference?(tile: number): number;
  ours(tile: number): number;
}

export interface ContestResult {
  readonly codec: string;
  readonly image: string;
  readonly cut: string;
  /** How many times as fast as the reference; undefined without one. */
  readonly speed?: number;
  /** Our bytes over the reference's. */
  readonly size?: number;
  /** Source megabytes per second of ours; an order of magnitude only. */
  readonly megabytesPerSecond: number;
}

/** Seconds of CPU that one measured pass should at least take, so that the clock's grain does not show. */
const PASS_SECONDS = 0.02;

/** Seconds that ours runs unmeasured first: the engine compiles in tiers, and what counts is the last. */
const WARM_SECONDS = 0.1;

/**
 * Runs both sides in turn, round by round, on the given clock, and takes the median of the rounds' ratios: drifting machine speed
 * hits both sides of a ratio alike.
 */
export function measure(contest: Contest, clock: () => number, rounds: number): ContestResult {
  const sizeOf = (encode: (tile: number) => number) => {
    contest.prepare?.();
    let sum = 0;
    for (let tile = 0; tile < contest.tiles; tile++) sum += encode(tile);
    return sum;
  };
  const ourSize = sizeOf((tile) => contest.ours(tile));
  const referenceSize = contest.reference ? sizeOf((tile) => contest.reference!(tile)) : undefined;
  const time = (encode: (tile: number) => number, passes: number) => {
    let total = 0;
    for (let pass = 0; pass < passes; pass++) {
      contest.prepare?.();
      const start = clock();
      for (let tile = 0; tile < contest.tiles; tile++) encode(tile);
      total += clock() - start;
    }
    return total / passes;
  };
  const ours = (tile: number) => contest.ours(tile);
  const reference = contest.reference ? (tile: number) => contest.reference!(tile) : undefined;
  for (let spent = 0; spent < WARM_SECONDS;) spent += Math.max(time(ours, 1), 1e-4);
  const passes = Math.max(1, Math.ceil(PASS_SECONDS / Math.max(time(ours, 2), 1e-6)));
  const ratios: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that neither side always finds the other's leavings in the cache.
    const first = round % 2 === 0;
    const early = first ? time(ours, passes) : undefined;
    const theirs = reference ? time(reference, passes) : undefined;
    const mine = early ?? time(ours, passes);
    times.push(mine);
    if (theirs !== undefined) ratios.push(theirs / mine);
  }
  return {
    codec: contest.codec,
    image: contest.picture,
    cut: contest.cut,
    speed: ratios.length > 0 ? median(ratios) : undefined,
    size: referenceSize ? ourSize / referenceSize : undefined,
    megabytesPerSecond: contest.bytes / median(times) / 1e6,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

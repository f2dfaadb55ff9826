/** A straight line through points by least squares, and how far its end lies above its start, as a share of the start. */
export interface Trend {
  readonly from: number;
  readonly to: number;
  /** (to - from) / from. */
  readonly growth: number;
}

/** @param points pairs of time and value, at least two, in order of time */
export function trend(points: readonly (readonly [number, number])[]): Trend {
  if (points.length < 2) throw new RangeError(`a trend needs two points, not ${points.length}`);
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [middle, level] = [mean(points.map(([t]) => t)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [t]) => sum + (t - middle) ** 2, 0);
  const slope =
    spread === 0 ? 0 : points.reduce((sum, [t, y]) => sum + (t - middle) * (y - level), 0) / spread;
  const at = (t: number) => level + slope * (t - middle);
  const [from, to] = [at(points[0][0]), at(points.at(-1)![0])];
  return { from, to, growth: (to - from) / from };
}

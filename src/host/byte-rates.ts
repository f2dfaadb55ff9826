import { RATE_MIN_MS, RATE_WINDOW_MS } from "./limits.ts";

interface Reading {
  readonly bytes: number;
  readonly atMs: number;
  readonly bytesPerSecond?: number;
}

/** Bytes per second of things that count their bytes, from one look at them to the next. */
export class ByteRates {
  readonly #readings = new Map<string, Reading>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns undefined at the first look, and when the one before is long ago */
  look(name: string, bytes: number): number | undefined {
    const atMs = this.#now();
    const before = this.#readings.get(name);
    const sinceMs = before === undefined ? Infinity : atMs - before.atMs;
    // Who looks twice in a moment would see chance.
    if (before !== undefined && sinceMs < RATE_MIN_MS && bytes >= before.bytes) return before.bytesPerSecond;
    const isOne = before !== undefined && sinceMs <= RATE_WINDOW_MS && bytes >= before.bytes;
    const bytesPerSecond = isOne ? Math.round(((bytes - before.bytes) * 1_000) / sinceMs) : undefined;
    this.#readings.set(name, { bytes, atMs, bytesPerSecond });
    for (const [other, reading] of this.#readings)
      if (atMs - reading.atMs > RATE_WINDOW_MS) this.#readings.delete(other);
    return bytesPerSecond;
  }
}

const BEAT_MS = 50;

/** How long the answers took since the last look, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Asks again and again, one question at a time, and measures how long each answer takes. */
export class Beat implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #isOver: () => boolean;
  #askedAt: number | undefined;
  #waits: number[] = [];

  /** @param ask asks the next question; @param isOver there is nobody any more who answers */
  constructor(ask: () => void, isOver: () => boolean) {
    this.#isOver = isOver;
    this.#timer = setInterval(() => {
      if (this.#askedAt !== undefined || isOver()) return;
      this.#askedAt = performance.now();
      ask();
    }, BEAT_MS);
  }

  answered(): void {
    if (this.#askedAt === undefined) return;
    this.#waits.push(performance.now() - this.#askedAt);
    this.#askedAt = undefined;
  }

  /** Answers since the last {@link take}. */
  get count(): number {
    return this.#waits.length;
  }

  /** Waits for so many more answers, or fails once one has been left out for `patienceMs`. */
  async answers(count: number, patienceMs = 60_000): Promise<void> {
    const wanted = this.count + count;
    const isStuck = () => this.#askedAt !== undefined && performance.now() - this.#askedAt > patienceMs;
    while (this.count < wanted) {
      if (this.#isOver()) throw new Error("the honest client was cut");
      if (isStuck()) throw new Error(`the honest client has waited for ${patienceMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What was measured since the last call, an answer that is still out included. */
  take(): Latency {
    const open = this.#askedAt === undefined ? [] : [performance.now() - this.#askedAt];
    const sorted = [...this.#waits, ...open].toSorted((a, b) => a - b);
    this.#waits = [];
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

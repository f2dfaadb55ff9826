/** So much at once, and one more in each so many milliseconds. */
export class Pace {
  readonly #atOnce: number;
  readonly #restMs: number;
  #left: number;
  #since = performance.now();

  constructor(atOnce: number, restMs: number) {
    this.#atOnce = atOnce;
    this.#restMs = restMs;
    this.#left = atOnce;
  }

  /** Milliseconds until the next one is due; 0: it may be taken now. */
  get dueInMs(): number {
    this.#earn();
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) * this.#restMs);
  }

  /** False: it is not due yet. */
  take(): boolean {
    if (this.dueInMs > 0) return false;
    this.#left -= 1;
    return true;
  }

  /** Takes one though it may not be due: what is owed is earned before the next is. */
  spend(): void {
    this.#earn();
    this.#left -= 1;
  }

  #earn(): void {
    const now = performance.now();
    // A clock that was set back earns nothing, and costs nothing.
    const passed = Math.max(0, now - this.#since);
    this.#left = Math.min(this.#atOnce, this.#left + passed / this.#restMs);
    this.#since = now;
  }
}

import { INPUT_LOOK_MAX_MS } from "../limits.ts";

/**
 * How long a guest has left something unread, in time that it had: a paused machine, a frozen tab or a busy host does not count, so a
 * look counts for no more than {@link INPUT_LOOK_MAX_MS}.
 */
export class Patience {
  readonly #limitMs: number;
  readonly #running: () => boolean;
  #waitedMs = 0;
  #last: number | undefined;

  constructor(limitMs: number, running: () => boolean) {
    this.#limitMs = limitMs;
    this.#running = running;
  }

  /** A look that finds it still unread; true once that has gone on for too long. */
  isOver(now = performance.now()): boolean {
    if (this.#last !== undefined && this.#running()) {
      this.#waitedMs += Math.min(now - this.#last, INPUT_LOOK_MAX_MS);
    }
    this.#last = now;
    return this.#waitedMs >= this.#limitMs;
  }

  /** It was read. */
  reset(): void {
    this.#waitedMs = 0;
    this.#last = undefined;
  }
}

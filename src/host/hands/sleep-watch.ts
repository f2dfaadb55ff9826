import { SLEEP_LATE_MS, SLEEP_LOOK_MS } from "../limits.ts";
import type { TouchTimers } from "./touch-gestures.ts";

export interface SleepWatchOptions extends TouchTimers {
  /** Milliseconds of the wall clock, which goes on while the system sleeps. */
  readonly nowMs: () => number;
  readonly isPressed: () => boolean;
  readonly slept: () => void;
}

/**
 * Notices that the system slept, or the page was frozen, while something was pressed: nobody tells a page that a key went up then.
 * Looks only while something is pressed.
 */
export class SleepWatch implements Disposable {
  readonly #options: SleepWatchOptions;
  #timer: unknown;

  constructor(options: SleepWatchOptions) {
    this.#options = options;
  }

  /** Something was pressed. */
  pressed(): void {
    if (this.#timer === undefined && this.#options.isPressed()) this.#look(this.#options.nowMs());
  }

  [Symbol.dispose](): void {
    if (this.#timer !== undefined) this.#options.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #look(beganMs: number): void {
    const { nowMs, isPressed, slept, setTimer } = this.#options;
    this.#timer = setTimer(() => {
      this.#timer = undefined;
      if (!isPressed()) return;
      const now = nowMs();
      if (now - beganMs > SLEEP_LOOK_MS + SLEEP_LATE_MS) slept();
      else this.#look(now);
    }, SLEEP_LOOK_MS);
  }
}

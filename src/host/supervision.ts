import {
  THREAD_RESTARTS,
  THREAD_RESTART_WINDOW_MS,
  WATCHDOG_INTERVAL_MS,
  WATCHDOG_REPLACE_MS,
  WATCHDOG_SILENT_MS,
  WATCHDOG_START_MS,
} from "./limits.ts";

/** How often threads may be made anew without asking a person: what kills each new one is not mended by another. */
export class RestartBudget {
  #times: number[] = [];

  /** @param nowMs of a clock that never goes back */
  allow(nowMs: number): boolean {
    this.#times = this.#times.filter((time) => nowMs - time < THREAD_RESTART_WINDOW_MS);
    if (this.#times.length >= THREAD_RESTARTS) return false;
    this.#times.push(nowMs);
    return true;
  }
}

/** What a watchdog finds out. */
export interface WatchdogListeners {
  /** It has not answered for {@link WATCHDOG_SILENT_MS}; told once, and again when that has ended. */
  silent(isSilent: boolean): void;
  /** It has not answered for so long that another one is to take its place; the last that is told. */
  hangs(): void;
}

/**
 * Asks a thread again and again whether it is there. A thread that hangs holds its lock and says nothing, so nothing else tells.
 * One question at a time: a busy thread is not made busier.
 */
export class ThreadWatchdog implements Disposable {
  readonly #question: () => Promise<unknown>;
  readonly #listeners: WatchdogListeners;
  readonly #replaceMs: number;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #isAsked = false;
  /** A thread that has said nothing yet may still be loading. */
  #hasAnswered = false;
  #silenceMs = 0;
  #lookedAtMs = 0;
  #silent = false;

  /**
   * @param question to the thread; a failure is an answer, too, or the death of the thread, which its lock tells
   * @param replaceMs of silence after which it hangs
   */
  constructor(
    question: () => Promise<unknown>,
    listeners: WatchdogListeners,
    replaceMs = WATCHDOG_REPLACE_MS,
    now: () => number = () => performance.now(),
  ) {
    this.#question = question;
    this.#listeners = listeners;
    this.#replaceMs = replaceMs;
    this.#now = now;
    this.#timer = setInterval(() => this.look(), WATCHDOG_INTERVAL_MS);
  }

  /** One look; by itself, there is one each {@link WATCHDOG_INTERVAL_MS}. */
  look(): void {
    const nowMs = this.#now();
    // A computer that slept, or a page that was frozen, was silent itself.
    const sinceMs = Math.min(nowMs - this.#lookedAtMs, 2 * WATCHDOG_INTERVAL_MS);
    this.#lookedAtMs = nowMs;
    if (!this.#isAsked) return this.#ask();
    this.#silenceMs += sinceMs;
    if (this.#silenceMs >= WATCHDOG_SILENT_MS && !this.#silent && this.#hasAnswered) {
      this.#silent = true;
      this.#listeners.silent(true);
    }
    const replaceMs = this.#hasAnswered ? this.#replaceMs : Math.max(this.#replaceMs, WATCHDOG_START_MS);
    if (this.#silenceMs < replaceMs) return;
    this[Symbol.dispose]();
    this.#listeners.hangs();
  }

  #ask(): void {
    this.#isAsked = true;
    this.#silenceMs = 0;
    void this.#question()
      .catch(() => {})
      .then(() => {
        this.#isAsked = false;
        this.#hasAnswered = true;
        if (!this.#silent) return;
        this.#silent = false;
        this.#listeners.silent(false);
      });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

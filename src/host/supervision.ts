import type { Dispatcher, RedWorkerMessages } from "../dispatch/index.ts";
import {
  THREAD_RESTARTS,
  THREAD_RESTART_WINDOW_MS,
  WATCHDOG_INTERVAL_MS,
  WATCHDOG_REPLACE_MS,
  WATCHDOG_SILENT_MS,
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
  /** It has not answered for {@link WATCHDOG_REPLACE_MS}. */
  hangs(): void;
}

/**
 * Asks a red worker again and again whether it is there. A thread that hangs holds its lock and says nothing, so nothing else tells.
 * One question at a time: a busy thread is not made busier.
 */
export class RedWatchdog implements Disposable {
  readonly #red: Pick<Dispatcher<RedWorkerMessages>, "call">;
  readonly #listeners: WatchdogListeners;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #askedAt: number | undefined;
  #silent = false;

  constructor(
    red: Pick<Dispatcher<RedWorkerMessages>, "call">,
    listeners: WatchdogListeners,
    now: () => number = () => performance.now(),
  ) {
    this.#red = red;
    this.#listeners = listeners;
    this.#now = now;
    this.#timer = setInterval(() => this.look(), WATCHDOG_INTERVAL_MS);
  }

  /** One look; by itself, there is one each {@link WATCHDOG_INTERVAL_MS}. */
  look(): void {
    if (this.#askedAt === undefined) {
      this.#ask();
      return;
    }
    const silence = this.#now() - this.#askedAt;
    if (silence >= WATCHDOG_SILENT_MS && !this.#silent) {
      this.#silent = true;
      this.#listeners.silent(true);
    }
    if (silence < WATCHDOG_REPLACE_MS) return;
    this[Symbol.dispose]();
    this.#listeners.hangs();
  }

  #ask(): void {
    this.#askedAt = this.#now();
    // A failure is an answer, too, or the death of the thread, which its lock tells.
    void this.#red
      .call("inspect", {}, [], { deadlineMs: 2 * WATCHDOG_REPLACE_MS })
      .catch(() => {})
      .then(() => {
        this.#askedAt = undefined;
        if (!this.#silent) return;
        this.#silent = false;
        this.#listeners.silent(false);
      });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

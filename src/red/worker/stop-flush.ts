import { STOP_FLUSH_TIMEOUT_MS } from "../limits.ts";

/** What is flushed. */
export interface Flushed {
  /** Whether all that has come is carried out, and has gone out. */
  isDone(): boolean;
  /** The time is over: whoever holds it up is disconnected. */
  giveUp(): void;
}

/** Waits until a red worker has nothing to do any more (flush_commands and wait_all_sent of spice-server), for a limited time. */
export class StopFlush implements Disposable {
  readonly #flushed: Flushed;
  readonly #waiting = new Set<() => void>();
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(flushed: Flushed) {
    this.#flushed = flushed;
  }

  /** Never rejects. */
  done(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#deadline ??= setTimeout(() => {
        this.#flushed.giveUp();
        this.#end();
      }, STOP_FLUSH_TIMEOUT_MS);
      this.look();
    });
  }

  /** Something was carried out, or sent, or somebody is gone. */
  look(): void {
    if (this.#waiting.size > 0 && this.#flushed.isDone()) this.#end();
  }

  #end(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}

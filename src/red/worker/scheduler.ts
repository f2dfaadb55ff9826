import type { NextTask } from "../../dispatch/index.ts";
import { nextTask } from "../../dispatch/index.ts";

/** Runs a task again as soon as the thread's other events (messages of ports, timers) had their turn. */
export class Scheduler implements Disposable {
  readonly #task: () => void;
  readonly #next: NextTask;
  #scheduled = false;

  constructor(task: () => void, next: NextTask = nextTask()) {
    this.#task = task;
    this.#next = next;
  }

  /** Runs the task once in a later turn; further calls until then change nothing. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#next(() => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      this.#task();
    });
  }

  [Symbol.dispose](): void {
    this.#scheduled = false;
  }
}

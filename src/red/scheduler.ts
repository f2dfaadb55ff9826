/**
 * Runs a task again as soon as the thread's other events (messages of ports, timers) had their turn: setImmediate for workers.
 * setTimeout will not do, browsers hold nested ones back for 4 ms.
 */
export class Scheduler implements Disposable {
  readonly #channel = new MessageChannel();
  #scheduled = false;

  constructor(task: () => void) {
    this.#channel.port1.onmessage = () => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      task();
    };
  }

  /** Runs the task once in a later turn; further calls until then change nothing. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#channel.port2.postMessage(0);
  }

  [Symbol.dispose](): void {
    this.#scheduled = false;
    this.#channel.port1.onmessage = null;
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

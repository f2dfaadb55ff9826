import type { LivenessRegistry } from "../dispatch/index.ts";
import { LOCK_POLL_MS, THREAD_START_DEADLINE_MS } from "./limits.ts";

/** How a worker of the page fares. */
export interface WorkerThreadListeners {
  /** It ended, or did not come up. Once. */
  died(reason: string): void;
  /** Something in it threw and nobody caught it: a mistake of ours, and no death. */
  faulted(message: string): void;
}

/** A DedicatedWorker that holds a Web Lock for as long as it lives. Disposing it ends it without a word. */
export class WorkerThread implements Disposable {
  readonly #worker: Worker;
  readonly #ended = new AbortController();
  #watch: Disposable | undefined;

  /** @param lock as the worker gives it to `holdAlive`; it is told in the worker's first message. */
  constructor(worker: Worker, lock: string, liveness: LivenessRegistry, listeners: WorkerThreadListeners) {
    this.#worker = worker;
    const died = (reason: string) => {
      if (this.#ended.signal.aborted) return;
      this[Symbol.dispose]();
      listeners.died(reason);
    };
    worker.addEventListener("error", (event) => {
      // A script that cannot be loaded gives an event without words; one that fails at its start never holds its lock.
      if (this.#watch) listeners.faulted(event.message);
      else died(event.message || "its script could not be loaded");
    });
    void locksHeld([lock], this.#ended.signal, THREAD_START_DEADLINE_MS).then((held) => {
      if (held) this.#watch = liveness.watchAlive(lock, () => died("it ended"));
      else died(`it did not come up within ${THREAD_START_DEADLINE_MS / 1000} s`);
    });
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#watch?.[Symbol.dispose]();
    this.#worker.terminate();
  }
}

/** True once every one of the names (as given to `holdAlive`) is held; false when the wait was given up. */
export async function locksHeld(
  names: readonly string[],
  ended: AbortSignal,
  deadlineMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (!ended.aborted && performance.now() < end) {
    const { held = [] } = await navigator.locks.query();
    const isHeld = (name: string) => held.some((lock) => lock.name?.endsWith(`:${name}`));
    if (names.every(isHeld)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  return false;
}

import type { HostStore } from "./host-store.ts";
import { silentProblem } from "./problems.ts";
import { ThreadWatchdog } from "./supervision.ts";

/** A thread that is asked whether it is there. */
export interface WatchedThread {
  /** One of each at most: another of that key takes its place. */
  readonly key: string;
  /** As people are told of it. */
  readonly name: Parameters<typeof silentProblem>[0];
  readonly question: () => Promise<unknown>;
  readonly hangs: () => void;
  /** Milliseconds of silence after which it hangs; default of {@link ThreadWatchdog}. */
  readonly replaceMs?: number;
}

/** The watchdogs of a host's threads: the page says which of them does not answer, for as long as it does not. */
export class ThreadWatch implements Disposable {
  readonly #store: HostStore;
  readonly #watchdogs = new Map<string, ThreadWatchdog>();
  readonly #now: (() => number) | undefined;

  constructor(store: HostStore, now?: () => number) {
    this.#store = store;
    this.#now = now;
  }

  watch({ key, name, question, hangs, replaceMs }: WatchedThread): void {
    this.#watchdogs.get(key)?.[Symbol.dispose]();
    const problem = silentProblem(name);
    const answers = () => {
      if (this.#store.state.problem?.title === problem.title) this.#store.update({ problem: undefined });
    };
    const listeners = {
      silent: (isSilent: boolean) => (isSilent ? this.#store.update({ problem }) : answers()),
      hangs: () => {
        answers();
        this.#watchdogs.delete(key);
        hangs();
      },
    };
    this.#watchdogs.set(key, new ThreadWatchdog(question, listeners, replaceMs, this.#now));
  }

  /** One look at each; by itself, there is one a second. */
  look(): void {
    for (const watchdog of this.#watchdogs.values()) watchdog.look();
  }

  [Symbol.dispose](): void {
    for (const watchdog of this.#watchdogs.values()) watchdog[Symbol.dispose]();
    this.#watchdogs.clear();
  }
}

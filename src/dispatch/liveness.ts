/**
 * How threads learn of each other's death. Browsers tell nobody when the other end of a MessagePort dies, but they release a dead
 * thread's Web Locks within milliseconds: each thread holds a lock named after itself, and whoever cares queues behind it.
 */

/** Where liveness is looked up: Web Locks in browsers, something explicit in Node. */
export interface LivenessRegistry {
  /** Holds `name` until disposed or until this thread ends. */
  holdAlive(name: string): Disposable;
  /** Whether somebody holds `name` at this moment. */
  isAlive(name: string): Promise<boolean>;
  /** Calls back once when nobody holds `name` any more. The holder must have taken it before. */
  watchAlive(name: string, onDeath: () => void): Disposable;
}

const lockName = (name: string) => `spicetab:alive:${name}`;

/** The browser's Web Locks. */
export function webLocksLiveness(locks: LockManager = navigator.locks): LivenessRegistry {
  return {
    holdAlive(name) {
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      void locks.request(lockName(name), () => held);
      return { [Symbol.dispose]: release };
    },
    async isAlive(name) {
      const { held = [] } = await locks.query();
      return held.some((lock) => lock.name === lockName(name));
    },
    watchAlive(name, onDeath) {
      const abort = new AbortController();
      locks
        .request(lockName(name), { signal: abort.signal }, () => {
          if (!abort.signal.aborted) onDeath();
        })
        .catch(() => {});
      return { [Symbol.dispose]: () => abort.abort() };
    },
  };
}

/** A registry within one process, for Node and for a core that shares its thread's fate with everybody else. */
export class LocalLiveness implements LivenessRegistry {
  readonly #held = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();

  holdAlive(name: string): Disposable {
    this.#held.add(name);
    return { [Symbol.dispose]: () => this.died(name) };
  }

  isAlive(name: string): Promise<boolean> {
    return Promise.resolve(this.#held.has(name));
  }

  watchAlive(name: string, onDeath: () => void): Disposable {
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers);
    watchers.add(onDeath);
    if (!this.#held.has(name)) queueMicrotask(() => watchers.delete(onDeath) && onDeath());
    return { [Symbol.dispose]: () => void watchers.delete(onDeath) };
  }

  /** Declares `name` dead, as the end of a worker thread does. */
  died(name: string): void {
    this.#held.delete(name);
    const watchers = this.#watchers.get(name);
    this.#watchers.delete(name);
    for (const onDeath of watchers ?? []) onDeath();
  }
}

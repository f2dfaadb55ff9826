/**
 * One machine per browser: two tabs would write the same saved state and push each other off the relay. The tab that
 * has the machine holds a Web Lock; another asks it over a BroadcastChannel to let go.
 */
import { RELEASE_STALL_MS } from "./limits.ts";
import { ProgressDeadline } from "./progress-deadline.ts";

const LOCK = "spicetab:machine";
const CHANNEL = "spicetab:machine";

/** Owner disposes: then other tabs may have the machine. */
export class TabLease implements Disposable {
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #onAsked: () => Promise<void>;
  readonly #patience = new ProgressDeadline(RELEASE_STALL_MS, "the other tab");
  #release: (() => void) | undefined;
  #asked = false;

  /** `onAsked` runs when another tab wants the machine; the lease ends when it settles. */
  constructor(onAsked: () => Promise<void>) {
    this.#onAsked = onAsked;
    this.#channel.onmessage = ({ data }: MessageEvent<"release" | "saving">) => {
      if (data === "saving") this.#patience.progress();
      if (data !== "release" || this.#release === undefined) return;
      this.#asked = true;
      void this.#onAsked().finally(() => this.#let());
    };
  }

  /** Saving, which the other tab may be waiting for, gets on. */
  progress(): void {
    if (this.#asked) this.#channel.postMessage("saving");
  }

  /** True when this tab has the machine now. */
  async tryAcquire(): Promise<boolean> {
    return this.#request({ ifAvailable: true });
  }

  /** Asks the other tab to let go, waits for it, and at the end takes what it did not give. */
  async takeOver(): Promise<void> {
    this.#channel.postMessage("release");
    const gaveUp = new AbortController();
    const given = await this.#patience
      .guard(this.#request({ signal: gaveUp.signal }))
      .catch(() => false)
      .finally(() => gaveUp.abort());
    if (!given) await this.#request({ steal: true });
  }

  [Symbol.dispose](): void {
    this.#let();
    this.#channel.close();
  }

  #let(): void {
    this.#asked = false;
    this.#release?.();
    this.#release = undefined;
  }

  /** Resolves once the lock is held (or known not to be); the lock itself is held until `#let`. */
  #request(options: LockOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(LOCK, options, (lock) => {
          resolve(lock !== null);
          if (lock === null) return undefined;
          return new Promise<void>((release) => (this.#release = release));
        })
        // Rejects when the wait is over, and later when another tab steals the lock.
        .catch((error: unknown) => {
          if (this.#release !== undefined) void this.#onAsked();
          this.#release = undefined;
          reject(error instanceof Error ? error : new Error(String(error)));
        });
    });
  }
}

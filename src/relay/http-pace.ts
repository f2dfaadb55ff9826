import { HTTP_BURST_MS, HTTP_REQUEST_LEAST_MS, HTTP_SHARE, HTTP_TURN_MS } from "./limits.ts";

/** Time as the pace knows it; tests give their own. */
export interface PaceClock {
  /** Milliseconds. */
  now(): number;
  /** Calls back when everybody else on the event loop has had a turn. */
  soon(call: () => void): void;
  /** Calls back after some milliseconds. */
  later(call: () => void, delayMs: number): void;
}

const CLOCK: PaceClock = {
  now: () => performance.now(),
  soon: (call) => void setImmediate(call),
  // Timers come right behind immediates: two turns would follow each other.
  later: (call, delayMs) => void setTimeout(() => setImmediate(call), delayMs).unref(),
};

/** A piece of work. True: a request began, of which more is to come than was seen. */
export type PacedWork = () => boolean;

/**
 * Who of those that ask by HTTP is next, and when: the same event loop carries SPICE. In each turn of the loop HTTP has a moment, and
 * in the long run a share of the time, however many ask. Those that ask again come in order, so that each of them has a turn before
 * anybody has a second one; between them those that ask for the first time, the newest and the oldest by turns, so that a newcomer is
 * not behind a whole crowd.
 */
export class HttpPace {
  readonly #clock: PaceClock;
  readonly #fresh: PacedWork[] = [];
  readonly #again: PacedWork[] = [];
  /** What was used and not yet earned again, as it was at `#countedAt`. */
  #usedMs = 0;
  #countedAt: number;
  #scheduled = false;
  #isFresh = false;
  #isNewest = false;

  constructor(clock = CLOCK) {
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** Queues the work, which is not queued yet. `again`: it is not the first of its connection. */
  ask(work: PacedWork, again: boolean): void {
    (again ? this.#again : this.#fresh).push(work);
    this.#schedule();
  }

  /** Takes back what has not had its turn. */
  forget(work: PacedWork): void {
    for (const queue of [this.#fresh, this.#again]) {
      const at = queue.indexOf(work);
      if (at >= 0) queue.splice(at, 1);
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#fresh.length + this.#again.length === 0) return;
    this.#scheduled = true;
    const turn = () => this.#turn();
    this.#earn();
    const overdrawnMs = this.#usedMs - HTTP_BURST_MS;
    if (overdrawnMs < 0) this.#clock.soon(turn);
    else this.#clock.later(turn, Math.max(1, overdrawnMs / HTTP_SHARE));
  }

  #turn(): void {
    this.#earn();
    for (let turnMs = 0; turnMs < HTTP_TURN_MS;) {
      const work = this.#next();
      if (work === undefined) break;
      const began = this.#clock.now();
      const isRequest = work();
      const tookMs = this.#clock.now() - began;
      const costMs = isRequest ? Math.max(tookMs, HTTP_REQUEST_LEAST_MS) : tookMs;
      turnMs += costMs;
      this.#usedMs += costMs;
    }
    this.#scheduled = false;
    this.#schedule();
  }

  #next(): PacedWork | undefined {
    this.#isFresh = !this.#isFresh;
    if (this.#fresh.length === 0 || (!this.#isFresh && this.#again.length > 0)) return this.#again.shift();
    this.#isNewest = !this.#isNewest;
    return this.#isNewest ? this.#fresh.pop() : this.#fresh.shift();
  }

  #earn(): void {
    const now = this.#clock.now();
    this.#usedMs = Math.max(0, this.#usedMs - (now - this.#countedAt) * HTTP_SHARE);
    this.#countedAt = now;
  }
}

import {
  PASSWORD_CHECKS,
  PASSWORD_CHECKS_PER_ADDRESS,
  PASSWORD_DELAY_FIRST_MS,
  PASSWORD_DELAY_MAX_ALL_MS,
  PASSWORD_DELAY_MAX_MS,
  PASSWORD_FAILURES_FREE,
  PASSWORD_FORGET_MS,
  PASSWORD_ADDRESSES,
} from "./limits.ts";

/** What a wrong password costs whoever gave it. */
export interface PasswordFailure {
  /** Wrong ones in a row from that address. */
  readonly failures: number;
  /** Milliseconds until it hears so; as long, one of the address's places is taken. */
  readonly delayMs: number;
}

interface Address {
  failures: number;
  lastFailure: number;
  /** Its checks under way, and its wrong passwords that have not been answered yet. */
  busy: number;
}

interface Waiting {
  readonly address: string;
  readonly admit: () => void;
}

/**
 * How often passwords may be tried. A wrong one is answered late, the later the more came before it, per address and in all; and an
 * address has few tickets looked at or unanswered at a time, so that trying many at once gains nothing. A right one is answered at
 * once and clears its address.
 *
 * Behind a proxy or a router many share an address, honest people with whoever guesses, and nothing tells them apart. So those who wait
 * are taken in their order, and as many may wait as there are links: whoever guesses there cannot shut the others out, only have them
 * wait for {@link PASSWORD_TURN_MAX_MS}. An address that has failed less comes before one that has failed more.
 */
export class PasswordGate implements Disposable {
  readonly #now: () => number;
  readonly #addresses = new Map<string, Address>();
  readonly #waiting: Waiting[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #busy = 0;
  #failuresInAll = 0;
  #lastFailure = Number.NEGATIVE_INFINITY;

  constructor(options: { now?: () => number } = {}) {
    this.#now = options.now ?? (() => performance.now());
  }

  /** Tickets that wait to be looked at. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Checks under way and wrong passwords not answered yet. */
  get busy(): number {
    return this.#busy;
  }

  /**
   * Resolves when a ticket from `address` may be looked at; {@link succeeded} or {@link failed} must follow.
   * @param signal gives up the wait; then the result is false and nothing must follow.
   */
  admit(address: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const entry: Waiting = {
        address,
        admit: () => {
          signal.removeEventListener("abort", giveUp);
          resolve(true);
        },
      };
      const giveUp = () => {
        const index = this.#waiting.indexOf(entry);
        if (index < 0) return;
        this.#waiting.splice(index, 1);
        resolve(false);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(entry);
      this.#next();
    });
  }

  /** The ticket was good. */
  succeeded(address: string): void {
    const known = this.#addresses.get(address);
    if (known) known.failures = 0;
    this.#leave(address);
  }

  /** The ticket could not be judged, whoever is to blame. */
  abandoned(address: string): void {
    this.#leave(address);
  }

  /**
   * The ticket was wrong.
   * @param answer called when its sender may hear so; its place is taken until then, whether or not it waits.
   */
  failed(address: string, answer: () => void): PasswordFailure {
    const now = this.#now();
    const known = this.#address(address);
    if (now - known.lastFailure > PASSWORD_FORGET_MS) known.failures = 0;
    if (now - this.#lastFailure > PASSWORD_FORGET_MS) this.#failuresInAll = 0;
    known.lastFailure = this.#lastFailure = now;
    known.failures++;
    this.#failuresInAll++;
    const delayMs = Math.max(
      grown(known.failures - PASSWORD_FAILURES_FREE, PASSWORD_DELAY_MAX_MS),
      grown(this.#failuresInAll / PASSWORD_CHECKS - PASSWORD_FAILURES_FREE, PASSWORD_DELAY_MAX_ALL_MS),
    );
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      answer();
      this.#leave(address);
    }, delayMs);
    this.#timers.add(timer);
    return { failures: known.failures, delayMs };
  }

  /** Forgets everything; nobody is answered any more. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#addresses.clear();
    this.#busy = 0;
  }

  #leave(address: string): void {
    this.#address(address).busy--;
    this.#busy--;
    this.#next();
  }

  #address(address: string): Address {
    let known = this.#addresses.get(address);
    if (known === undefined) {
      this.#forget();
      known = { failures: 0, lastFailure: Number.NEGATIVE_INFINITY, busy: 0 };
      this.#addresses.set(address, known);
    }
    return known;
  }

  /** Room for one more address: the one goes that has been quiet for longest. */
  #forget(): void {
    if (this.#addresses.size < PASSWORD_ADDRESSES) return;
    const idle = [...this.#addresses].filter(([, { busy }]) => busy === 0);
    idle.sort(([, a], [, b]) => a.lastFailure - b.lastFailure);
    if (idle.length > 0) this.#addresses.delete(idle[0][0]);
  }

  #next(): void {
    while (this.#busy < PASSWORD_CHECKS) {
      const index = this.#choose();
      if (index === undefined) return;
      const [{ address, admit }] = this.#waiting.splice(index, 1);
      this.#address(address).busy++;
      this.#busy++;
      admit();
    }
  }

  /** Of those whose address has failed least, the one that has waited for longest. */
  #choose(): number | undefined {
    let least = Number.POSITIVE_INFINITY;
    let chosen: number | undefined;
    this.#waiting.forEach(({ address }, index) => {
      const { busy, failures } = this.#addresses.get(address) ?? { busy: 0, failures: 0 };
      if (busy >= PASSWORD_CHECKS_PER_ADDRESS || failures >= least) return;
      least = failures;
      chosen = index;
    });
    return chosen;
  }
}

/** Nothing for none, then doubled for each further failure, up to `most` milliseconds. */
function grown(failures: number, most: number): number {
  if (failures <= 0) return 0;
  return Math.min(PASSWORD_DELAY_FIRST_MS * 2 ** (failures - 1), most);
}

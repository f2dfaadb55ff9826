/** Somebody who waits. */
export interface Waiter {
  /** Where it comes from, without a port. */
  readonly address: string;
}

/**
 * Who has said a whole link and waits for the hosting tab. Addresses have their turns one after the other, so a crowd at one keeps nobody
 * waiting who comes from another. Within an address it is the oldest one's turn, and the next time the newest one's: a crowd that came at
 * once keeps nobody waiting who comes behind it, and a flood of newcomers nobody who was there before.
 */
export class WaitingLine<T extends Waiter> {
  /** The first address is the next. */
  readonly #lines = new Map<string, { readonly waiters: Set<T>; newestNext: boolean }>();
  readonly #random: () => number;
  #size = 0;

  /** @param random 0 to below 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get size(): number {
    return this.#size;
  }

  add(waiter: T): void {
    const line = this.#lines.get(waiter.address) ?? { waiters: new Set<T>(), newestNext: false };
    this.#lines.set(waiter.address, line);
    if (line.waiters.has(waiter)) return;
    line.waiters.add(waiter);
    this.#size++;
  }

  delete(waiter: T): void {
    const line = this.#lines.get(waiter.address);
    if (line === undefined || !line.waiters.delete(waiter)) return;
    this.#size--;
    if (line.waiters.size === 0) this.#lines.delete(waiter.address);
  }

  /** Whose turn it is; it is out of the line then. */
  take(): T | undefined {
    const [entry] = this.#lines;
    if (entry === undefined) return undefined;
    const [address, line] = entry;
    const waiters = [...line.waiters];
    const next = line.newestNext ? waiters.at(-1) : waiters[0];
    line.newestNext = !line.newestNext;
    // Its address is behind the others now.
    this.#lines.delete(address);
    this.#lines.set(address, line);
    if (next !== undefined) this.delete(next);
    return next;
  }

  /** Who goes when there is no room: any one from the address that has most, so that everybody there has the same chance to stay. */
  victim(): T | undefined {
    let most: Set<T> | undefined;
    for (const { waiters } of this.#lines.values())
      if (most === undefined || waiters.size > most.size) most = waiters;
    return most && [...most][Math.floor(this.#random() * most.size)];
  }
}

import type { Answer, Dispatcher, MessageTable, Payload } from "../dispatch/index.ts";
import { PeerDied } from "../dispatch/index.ts";

interface Waiter<M extends MessageTable<M>> {
  resolve(dispatcher: Dispatcher<M>): void;
  reject(error: Error): void;
}

/**
 * The way to a thread that may be gone for a while and come back as another one: a page that reloads takes its machine with it and
 * brings it again. Calls wait while nobody is behind the door, and those under way when a thread dies are made again to the next one,
 * unless they carried something away. Owns no dispatcher.
 */
export class ThreadDoor<M extends MessageTable<M>> {
  readonly peer: string;
  #dispatcher: Dispatcher<M> | undefined;
  #closed: PeerDied | undefined;
  readonly #waiters = new Set<Waiter<M>>();

  constructor(peer: string) {
    this.peer = peer;
  }

  /** Whoever is behind the door now. */
  get dispatcher(): Dispatcher<M> | undefined {
    return this.#dispatcher;
  }

  open(dispatcher: Dispatcher<M>): void {
    this.#dispatcher = dispatcher;
    for (const waiter of this.#waiters) waiter.resolve(dispatcher);
    this.#waiters.clear();
  }

  /** Nobody is there until it is opened again. */
  shut(): void {
    this.#dispatcher = undefined;
  }

  /** Nobody will come any more: what waits fails. */
  close(reason: string): void {
    this.#dispatcher = undefined;
    this.#closed = new PeerDied(this.peer, reason);
    for (const waiter of this.#waiters) waiter.reject(this.#closed);
    this.#waiters.clear();
  }

  /** Does nothing while nobody is there. */
  send<K extends keyof M & string>(type: K, payload: Payload<M, K>): void {
    this.#dispatcher?.send(type, payload);
  }

  /**
   * As {@link Dispatcher.call}; the deadline runs while somebody is there.
   * @throws DispatcherTimeout, RemoteError, PeerDied
   */
  async call<K extends keyof M & string>(
    type: K,
    payload: Payload<M, K>,
    transfer: Transferable[] = [],
    options: { deadlineMs?: number } = {},
  ): Promise<Answer<M, K>> {
    for (;;) {
      const dispatcher = this.#dispatcher ?? (await this.#opened());
      try {
        return await dispatcher.call(type, payload, transfer, options);
      } catch (error) {
        if (!(error instanceof PeerDied) || transfer.length > 0) throw error;
        if (this.#dispatcher === dispatcher) this.#dispatcher = undefined;
      }
    }
  }

  #opened(): Promise<Dispatcher<M>> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }
}

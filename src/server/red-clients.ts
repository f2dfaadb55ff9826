import type { RedClient } from "./red-client.ts";

/**
 * The sessions of a server (RedsState.clients). One whose end has begun is in nobody's way any more, and nobody finds it by its session;
 * but it stays here, disconnecting, until every thread has acknowledged that nothing of it is left.
 */
export class RedClients {
  readonly #present = new Map<number, RedClient>();
  readonly #disconnecting = new Map<number, RedClient>();
  #nextId = 1;

  /** A number that no client has had. */
  newId(): number {
    return this.#nextId++;
  }

  /** A session id that nobody can guess, and no client of this server has. */
  newConnectionId(): number {
    for (;;) {
      const [id] = crypto.getRandomValues(new Uint32Array(1));
      const taken = [...this.all(), ...this.disconnecting].some(({ connectionId }) => connectionId === id);
      if (id !== 0 && !taken) return id;
    }
  }

  add(client: RedClient): void {
    this.#present.set(client.id, client);
  }

  /** Sessions that go on. */
  get size(): number {
    return this.#present.size;
  }

  all(): readonly RedClient[] {
    return [...this.#present.values()];
  }

  /** Those of which something is left on some thread. */
  get disconnecting(): readonly RedClient[] {
    return [...this.#disconnecting.values()];
  }

  get(id: number): RedClient | undefined {
    return this.#present.get(id);
  }

  /** One that goes on, or that is on its way out. */
  find(id: number): RedClient | undefined {
    return this.#present.get(id) ?? this.#disconnecting.get(id);
  }

  ofSession(connectionId: number): RedClient | undefined {
    if (connectionId === 0) return undefined;
    return this.all().find((one) => one.connectionId === connectionId);
  }

  /** red_client_destroy: resolves when nothing of the client is left; only then it is forgotten. */
  async destroy(client: RedClient, reason: string): Promise<void> {
    this.#present.delete(client.id);
    this.#disconnecting.set(client.id, client);
    await client.destroy(reason);
    this.#disconnecting.delete(client.id);
  }
}

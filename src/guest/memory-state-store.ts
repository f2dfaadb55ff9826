/** States kept in memory: where storage is denied, and in tests. */
import { decodeStateHeader, encodeStateHeader } from "./state-header.ts";
import type { StateHeader } from "./state-header.ts";
import { bufferSource, collect } from "./state-transfer.ts";
import type { SavableMachine } from "./state-transfer.ts";
import { checkedKey } from "./state-store.ts";
import type { StateStore, StoredState } from "./state-store.ts";

/** Lost with the thread. */
export class MemoryStateStore implements StateStore {
  readonly kind = "memory";
  readonly #states = new Map<string, { header: Uint8Array; state: ArrayBuffer }>();

  async save(key: string, machine: SavableMachine): Promise<StateHeader> {
    const { header, state } = collect(machine);
    this.#states.set(checkedKey(key), { header: encodeStateHeader(header), state });
    return header;
  }

  async open(key: string): Promise<StoredState | undefined> {
    const stored = this.#states.get(key);
    if (!stored) return undefined;
    return { header: decodeStateHeader(stored.header), source: bufferSource(stored.state) };
  }

  async delete(key: string): Promise<void> {
    this.#states.delete(key);
  }

  async size(key: string): Promise<number> {
    const stored = this.#states.get(key);
    return stored ? stored.header.length + stored.state.byteLength : 0;
  }
}

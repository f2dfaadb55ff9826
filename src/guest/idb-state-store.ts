/** States in IndexedDB, where OPFS is missing. */
import { del, get, set } from "idb-keyval";
import { StateRefusedError } from "./errors.ts";
import { decodeStateHeader, encodeStateHeader } from "./state-header.ts";
import type { StateHeader } from "./state-header.ts";
import { bufferSource, collect } from "./state-transfer.ts";
import type { SavableMachine } from "./state-transfer.ts";
import { checkedKey } from "./state-store.ts";
import type { StateStore, StoredState } from "./state-store.ts";

const IDB_PREFIX = "spicetab-state:";

/** One record per key: the header's bytes and a Blob. A transaction of IndexedDB is atomic. */
export class IdbStateStore implements StateStore {
  readonly kind = "IndexedDB";

  /** Whether IndexedDB works here: it throws where storage is denied. */
  static async works(): Promise<boolean> {
    try {
      await get(`${IDB_PREFIX}probe`);
      return true;
    } catch {
      return false;
    }
  }

  async save(key: string, machine: SavableMachine): Promise<StateHeader> {
    const { header, state } = collect(machine);
    await set(IDB_PREFIX + checkedKey(key), { header: encodeStateHeader(header), state: new Blob([state]) });
    return header;
  }

  async open(key: string): Promise<StoredState | undefined> {
    const stored = await this.#get(key);
    if (!stored) return undefined;
    const header = decodeStateHeader(stored.header);
    return { header, source: bufferSource(checkedLength(await stored.state.arrayBuffer(), header)) };
  }

  async delete(key: string): Promise<void> {
    await del(IDB_PREFIX + key);
  }

  async size(key: string): Promise<number> {
    const stored = await this.#get(key);
    return stored ? stored.header.length + stored.state.size : 0;
  }

  async #get(key: string): Promise<{ header: Uint8Array; state: Blob } | undefined> {
    return get<{ header: Uint8Array; state: Blob }>(IDB_PREFIX + key);
  }
}

const checkedLength = (state: ArrayBuffer, header: StateHeader): ArrayBuffer => {
  if (state.byteLength === header.stateBytes) return state;
  throw new StateRefusedError(
    "truncated",
    `it has ${state.byteLength} bytes instead of ${header.stateBytes}`,
  );
};

/** Chooses among the stores. */
import { IdbStateStore } from "./idb-state-store.ts";
import { MemoryStateStore } from "./memory-state-store.ts";
import { OpfsStateStore } from "./opfs-state-store.ts";
import type { StateStore } from "./state-store.ts";

/** The best store that works here: OPFS, else IndexedDB, else memory. */
export const openStateStore = async (): Promise<StateStore> =>
  (await OpfsStateStore.open()) ??
  ((await IdbStateStore.works()) ? new IdbStateStore() : new MemoryStateStore());

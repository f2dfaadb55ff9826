/** Chooses where states are kept. */
import { IdbStateFolder } from "./idb-state-folder.ts";
import { MemoryStateFolder } from "./memory-state-folder.ts";
import { OpfsStateFolder } from "./opfs-state-folder.ts";
import { StateStore } from "./state-store.ts";

/** A store over the best folder that works here: OPFS, else IndexedDB, else memory. */
export const openStateStore = async (): Promise<StateStore> => {
  const opfs = await OpfsStateFolder.open();
  if (opfs) return new StateStore(opfs);
  return new StateStore((await IdbStateFolder.works()) ? new IdbStateFolder() : new MemoryStateFolder());
};

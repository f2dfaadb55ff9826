/**
 * Where saved machines are kept: one state per key (the guest's level). OPFS serves best (raw bytes, no clone, between
 * file and machine without a copy of the whole); idb-keyval where OPFS is missing; memory where storage is denied. Saving is atomic:
 * a crash leaves the state from before.
 */
import type { StateHeader } from "./state-header.ts";
import type { RestorableMachine, SavableMachine } from "./state-transfer.ts";

/** A state that was found: its header, and a source that whoever opened it disposes of. */
export type StoredState = RestorableMachine;

export interface StateStore {
  /** What keeps the states, for people: "OPFS", "IndexedDB" or "memory" (lost with the tab). */
  readonly kind: "OPFS" | "IndexedDB" | "memory";
  /** Replaces the state under `key` by the machine as it is, or leaves the old one if it fails. */
  save(key: string, machine: SavableMachine): Promise<StateHeader>;
  /** @throws StateRefusedError when what is stored is no state, StateBusyError while somebody else has it */
  open(key: string): Promise<StoredState | undefined>;
  delete(key: string): Promise<void>;
  /** Bytes stored under `key`, 0 when there is nothing. */
  size(key: string): Promise<number>;
}

const keyPattern = /^[a-z0-9-]{1,64}$/;

/** Keys are plain names: a store may use them as file names. @throws RangeError */
export const checkedKey = (key: string): string => {
  if (!keyPattern.test(key)) throw new RangeError(`state key "${key}" must match ${keyPattern}`);
  return key;
};

/** The bytes of a saved machine, read piece by piece: a desktop has 200 MB, which are not wanted in memory twice. */
import { StateRefusedError } from "./errors.ts";
import type { SavedMachine } from "./machine.ts";
import type { StateHeader } from "./state-header.ts";

/** v86's state behind the header. Its owner disposes of it. */
export interface StateSource extends Disposable {
  readonly bytes: number;
  /** Fills `target` from byte `at` on. @throws StateRefusedError "truncated" when there are not so many */
  read(target: Uint8Array, at: number): void;
}

/** A state that can be restored. */
export interface RestorableMachine {
  readonly header: StateHeader;
  readonly source: StateSource;
}

/** A state that is in memory as a whole. */
export const bufferSource = (state: ArrayBuffer): StateSource => ({
  bytes: state.byteLength,
  read: (target, at) => {
    if (at + target.length > state.byteLength) {
      throw new StateRefusedError("truncated", `it has only ${state.byteLength} bytes`);
    }
    target.set(new Uint8Array(state, at, target.length));
  },
  [Symbol.dispose]: () => {},
});

/** A machine that was just saved, to be restored without having been stored. */
export const restorable = ({ header, state }: SavedMachine): RestorableMachine => ({
  header,
  source: bufferSource(state),
});

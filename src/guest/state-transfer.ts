/** A saved machine on its way, piece by piece: a desktop has 200 MB, which are not wanted in memory twice. */
import { StateRefusedError } from "./errors.ts";
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

/** A machine that can be written down. */
export interface SavableMachine {
  /**
   * Writes one moment of the machine, in order, before it returns: the machine stands still meanwhile. The pieces are views of its
   * memory and good only during the call.
   * @returns the header that goes with it
   */
  capture(write: (piece: Uint8Array) => void): StateHeader;
}

/** A saved moment in memory. `state` is v86's own file with our devices inside. */
export interface SavedMachine {
  readonly header: StateHeader;
  readonly state: ArrayBuffer;
}

/** A moment of the machine as a whole, for those who cannot write piece by piece. */
export const collect = (machine: SavableMachine): SavedMachine => {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const header = machine.capture((piece) => {
    pieces.push(piece.slice());
    bytes += piece.length;
  });
  const state = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    state.set(piece, at);
    at += piece.length;
  }
  return { header, state: state.buffer };
};

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

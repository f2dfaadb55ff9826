/** A saved machine on its way, piece by piece: a desktop has 200 MB, which are not wanted in memory twice. */
import { StateRefusedError } from "./errors.ts";
import type { StateHeader } from "./state-header.ts";

/** v86's state behind the header. Its owner disposes of it. */
export interface StateSource extends Disposable {
  readonly bytes: number;
  /** Fills `target` from byte `at` on. @throws StateRefusedError when there are not so many, or they are not what was saved */
  read(target: Uint8Array, at: number): void;
  /** Looks at what nobody has read: a state is good when every byte of it is. @throws StateRefusedError */
  verifyRest(): void;
}

/** A state that can be restored. */
export interface RestorableMachine {
  readonly header: StateHeader;
  readonly source: StateSource;
}

/** Takes a machine down. */
export interface StateSink {
  /** Comes first: what it will be, and how long. */
  begin(header: StateHeader): void;
  /** The next bytes: views of the machine's memory, good only during the call. */
  write(piece: Uint8Array): void;
}

/** A machine that can be written down. */
export interface SavableMachine {
  /** Writes one moment of the machine before it returns: the machine stands still meanwhile. */
  capture(sink: StateSink): void;
}

/** A saved moment in memory. `state` is v86's own file with our devices inside. */
export interface SavedMachine {
  readonly header: StateHeader;
  readonly state: ArrayBuffer;
}

/** A moment of the machine as a whole, in memory. */
export const collect = (machine: SavableMachine): SavedMachine => {
  let header: StateHeader | undefined;
  let state = new Uint8Array(0);
  let at = 0;
  machine.capture({
    begin: (made) => {
      header = made;
      state = new Uint8Array(made.stateBytes);
    },
    write: (piece) => {
      state.set(piece, at);
      at += piece.length;
    },
  });
  if (header === undefined || at !== state.length) throw new RangeError("the machine is not all there");
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
  verifyRest: () => {},
  [Symbol.dispose]: () => {},
});

/** A machine that was just saved, to be restored without having been stored. */
export const restorable = ({ header, state }: SavedMachine): RestorableMachine => ({
  header,
  source: bufferSource(state),
});

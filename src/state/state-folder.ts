/**
 * Where a store keeps its files: the least that OPFS, IndexedDB and memory have in common. Everything that makes saving safe is above it
 * (state-store.ts), so that it is the same everywhere and can be tried with files that fail at any step.
 */

/** One file, open for its store alone. */
export interface StateFile extends Disposable {
  size(): number;
  /** Fills `target` from byte `at` on as far as the file goes. @returns how many bytes it got */
  read(target: Uint8Array<ArrayBuffer>, at: number): number;
  /** Writes all of it, or throws. Bytes behind the first {@link STATE_HEADER_BYTES} come once and in order. */
  write(bytes: Uint8Array<ArrayBuffer>, at: number): void;
  /** Makes room before anything is written. What is in the file stays. @throws a QuotaExceededError when there is none */
  resize(bytes: number): void;
  /** What was written before is stored before what is written afterwards. */
  flush(): void;
  /** Resolves when all that was written is stored. */
  commit(): Promise<void>;
}

/** A folder of files with plain names. */
export interface StateFolder {
  /** What it is, for people; "memory" is lost with the tab. */
  readonly kind: "OPFS" | "IndexedDB" | "memory";
  names(): Promise<readonly string[]>;
  /** Opens a file, or makes it. @throws StateBusyError while somebody else has it */
  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  /** Nothing happens where there is none. */
  remove(name: string): Promise<void>;
}

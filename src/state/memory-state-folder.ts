/** States kept in memory: where storage is denied, and in tests. */
import { StateBusyError } from "./errors.ts";
import type { StateFile, StateFolder } from "./state-folder.ts";

/** Lost with the thread. */
export class MemoryStateFolder implements StateFolder {
  readonly kind = "memory";
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #open = new Set<string>();

  async names(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }

  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const files = this.#files;
    // As the files of OPFS: one opening at a time.
    if (this.#open.has(name)) throw new StateBusyError(0);
    if (!files.has(name)) {
      if (!make) return undefined;
      files.set(name, new Uint8Array(0));
    }
    const bytesOf = () => files.get(name) ?? new Uint8Array(0);
    const resize = (bytes: number) => {
      const old = bytesOf();
      if (bytes === old.length) return;
      const next = new Uint8Array(bytes);
      next.set(old.subarray(0, bytes));
      files.set(name, next);
    };
    this.#open.add(name);
    return {
      size: () => bytesOf().length,
      read: (target, at) => {
        const piece = bytesOf().subarray(at, at + target.length);
        target.set(piece);
        return piece.length;
      },
      write: (bytes, at) => {
        if (at + bytes.length > bytesOf().length) resize(at + bytes.length);
        bytesOf().set(bytes, at);
      },
      resize,
      flush: () => {},
      commit: async () => {},
      [Symbol.dispose]: () => void this.#open.delete(name),
    };
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name);
  }

  /** What is in a file, for tests that damage it; undefined where there is none. */
  contents(name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#files.get(name);
  }
}

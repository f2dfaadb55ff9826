/** States in IndexedDB, where OPFS is missing. */
import { del, get, keys, set } from "idb-keyval";
import type { StateFile, StateFolder } from "./state-folder.ts";
import { STATE_HEADER_BYTES } from "./state-header.ts";

const IDB_PREFIX = "spicetab-state:";

/** One record per file: its bytes as a Blob. It is replaced in one transaction, so a file is as before or as it should be. */
export class IdbStateFolder implements StateFolder {
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

  async names(): Promise<readonly string[]> {
    const all = await keys();
    return all
      .filter((key): key is string => typeof key === "string" && key.startsWith(IDB_PREFIX))
      .map((key) => key.slice(IDB_PREFIX.length));
  }

  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const stored: unknown = await get(IDB_PREFIX + name);
    if (stored === undefined && !make) return undefined;
    // A record of another make is a file with nothing in it.
    return new IdbStateFile(IDB_PREFIX + name, stored instanceof Blob ? stored : new Blob([]));
  }

  async remove(name: string): Promise<void> {
    await del(IDB_PREFIX + name);
  }
}

/** What is written waits in Blobs, which the browser keeps outside this thread's memory, until it is committed. */
class IdbStateFile implements StateFile {
  readonly #key: string;
  #blob: Blob;
  #header: Uint8Array<ArrayBuffer> = new Uint8Array(STATE_HEADER_BYTES);
  #pieces: Blob[] = [];
  #end = STATE_HEADER_BYTES;

  constructor(key: string, blob: Blob) {
    this.#key = key;
    this.#blob = blob;
  }

  size(): number {
    return this.#blob.size;
  }

  read(target: Uint8Array<ArrayBuffer>, at: number): number {
    const piece = new FileReaderSync().readAsArrayBuffer(this.#blob.slice(at, at + target.length));
    target.set(new Uint8Array(piece));
    return piece.byteLength;
  }

  write(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    if (at === 0) {
      this.#header = bytes.slice();
      return;
    }
    if (at !== this.#end) throw new RangeError(`byte ${at} is not the next one, ${this.#end}`);
    this.#pieces.push(new Blob([bytes]));
    this.#end += bytes.length;
  }

  /** Room is made by the transaction, or not. */
  resize(): void {}

  /** Nothing is stored before all is. */
  flush(): void {}

  async commit(): Promise<void> {
    await set(this.#key, new Blob([this.#header, ...this.#pieces]));
    this.#pieces = [];
    // What is read from here on is what the database has.
    this.#blob = (await get<Blob>(this.#key)) ?? new Blob([]);
  }

  [Symbol.dispose](): void {
    this.#pieces = [];
  }
}

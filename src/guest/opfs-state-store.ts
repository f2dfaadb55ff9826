/** States in the origin's private file system. */
import { StateBusyError, StateRefusedError } from "./errors.ts";
import { STATE_LOCK_DEADLINE_MS, STATE_LOCK_RETRY_MS, STATE_WINDOW_BYTES } from "./limits.ts";
import { decodeStateHeader, encodeStateHeader, STATE_HEADER_BYTES } from "./state-header.ts";
import type { StateHeader } from "./state-header.ts";
import type { SavableMachine, StateSource } from "./state-transfer.ts";
import { checkedKey } from "./state-store.ts";
import type { StateStore, StoredState } from "./state-store.ts";

/** `move` is in every browser with OPFS that matters, but not in TypeScript's library. */
interface MovableFileHandle extends FileSystemFileHandle {
  move(name: string): Promise<void>;
}

/**
 * One file per key in the directory `states` of the origin's private file system: the header, then v86's bytes. Written
 * beside as `<key>.tmp`, flushed, closed, and moved over the old one. Only in a DedicatedWorker.
 */
export class OpfsStateStore implements StateStore {
  readonly kind = "OPFS";
  readonly #directory: FileSystemDirectoryHandle;

  /** The store, or undefined where OPFS is missing, denied, or lacks what atomic saving needs. */
  static async open(): Promise<OpfsStateStore | undefined> {
    try {
      const root = await navigator.storage.getDirectory();
      const directory = await root.getDirectoryHandle("states", { create: true });
      const probe = await directory.getFileHandle("probe.tmp", { create: true });
      return "createSyncAccessHandle" in probe && "move" in probe ? new OpfsStateStore(directory) : undefined;
    } catch {
      return undefined;
    }
  }

  constructor(directory: FileSystemDirectoryHandle) {
    this.#directory = directory;
  }

  async save(key: string, machine: SavableMachine): Promise<StateHeader> {
    const name = checkedKey(key);
    const file = await this.#directory.getFileHandle(`${name}.tmp`, { create: true });
    const saved = await withAccess(file, (access) => {
      access.truncate(0);
      const writer = new WindowWriter(access, STATE_HEADER_BYTES);
      const header = machine.capture((piece) => writer.write(piece));
      writer.end();
      writeFully(access, encodeStateHeader(header), 0);
      access.flush();
      return header;
    });
    await whileLocked(() => (file as MovableFileHandle).move(name));
    return saved;
  }

  async open(key: string): Promise<StoredState | undefined> {
    const file = await this.#file(key);
    if (!file) return undefined;
    // Header and state out of one opening: what another page saves meanwhile must not come between them.
    const access = await whileLocked(() => file.createSyncAccessHandle());
    try {
      const bytes = new Uint8Array(STATE_HEADER_BYTES);
      const header = decodeStateHeader(bytes.subarray(0, access.read(bytes, { at: 0 })));
      return { header, source: sourceOf(access, header.stateBytes) };
    } catch (error) {
      access.close();
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    for (const name of [key, `${key}.tmp`]) {
      await this.#directory.removeEntry(name).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  async size(key: string): Promise<number> {
    const file = await this.#file(key);
    return file ? (await file.getFile()).size : 0;
  }

  async #file(key: string): Promise<FileSystemFileHandle | undefined> {
    try {
      return await this.#directory.getFileHandle(checkedKey(key));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

const isNotFound = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "NotFoundError";

const withAccess = async <T>(
  file: FileSystemFileHandle,
  use: (access: FileSystemSyncAccessHandle) => T,
): Promise<T> => {
  const access = await whileLocked(() => file.createSyncAccessHandle());
  try {
    return use(access);
  } finally {
    access.close();
  }
};

/** The part behind the header; the file is locked until it is disposed of. */
const sourceOf = (access: FileSystemSyncAccessHandle, bytes: number): StateSource => {
  const size = access.getSize();
  if (size !== STATE_HEADER_BYTES + bytes) {
    throw new StateRefusedError("truncated", `its file has ${size} bytes`);
  }
  return {
    bytes,
    read: (target, at) => {
      for (let done = 0; done < target.length;) {
        const length = access.read(target.subarray(done), { at: STATE_HEADER_BYTES + at + done });
        if (length <= 0) throw new StateRefusedError("truncated", `its file ends after ${at + done} bytes`);
        done += length;
      }
    },
    [Symbol.dispose]: () => access.close(),
  };
};

/** What a locked file is called: by the specification, and by WebKit. */
const LOCKED: readonly string[] = ["NoModificationAllowedError", "InvalidStateError"];

/** A page that was just left lets go of its files only once its worker is gone. @throws StateBusyError */
const whileLocked = async <T>(attempt: () => Promise<T>): Promise<T> => {
  const end = performance.now() + STATE_LOCK_DEADLINE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (!(cause instanceof DOMException) || !LOCKED.includes(cause.name)) throw cause;
      if (performance.now() > end) throw new StateBusyError(STATE_LOCK_DEADLINE_MS, { cause });
      await new Promise((resolve) => setTimeout(resolve, STATE_LOCK_RETRY_MS));
    }
  }
};

/** Writes in large pieces: a call of the file system costs more than a copy of many pages. */
class WindowWriter {
  readonly #access: FileSystemSyncAccessHandle;
  readonly #window = new Uint8Array(STATE_WINDOW_BYTES);
  #held = 0;
  #at: number;

  constructor(access: FileSystemSyncAccessHandle, at: number) {
    this.#access = access;
    this.#at = at;
  }

  write(piece: Uint8Array): void {
    for (let done = 0; done < piece.length;) {
      const length = Math.min(piece.length - done, this.#window.length - this.#held);
      this.#window.set(piece.subarray(done, done + length), this.#held);
      this.#held += length;
      done += length;
      if (this.#held === this.#window.length) this.end();
    }
  }

  /** Writes what is held. */
  end(): void {
    writeFully(this.#access, this.#window.subarray(0, this.#held), this.#at);
    this.#at += this.#held;
    this.#held = 0;
  }
}

const writeFully = (access: FileSystemSyncAccessHandle, bytes: Uint8Array<ArrayBuffer>, at: number): void => {
  let done = 0;
  while (done < bytes.length) {
    const written = access.write(bytes.subarray(done), { at: at + done });
    if (written <= 0) throw new DOMException("no room left for the state", "QuotaExceededError");
    done += written;
  }
};

/** States in the origin's private file system. */
import { StateBusyError } from "./errors.ts";
import { STATE_LOCK_DEADLINE_MS, STATE_LOCK_RETRY_MS } from "./limits.ts";
import type { StateFile, StateFolder } from "./state-folder.ts";

/** The directory `states` of the origin's private file system. Only in a DedicatedWorker. */
export class OpfsStateFolder implements StateFolder {
  readonly kind = "OPFS";

  /** The folder, or undefined where OPFS is missing or denied. */
  static async open(): Promise<OpfsStateFolder | undefined> {
    try {
      const probe = await (await states()).getFileHandle("probe.tmp", { create: true });
      return "createSyncAccessHandle" in probe ? new OpfsStateFolder() : undefined;
    } catch {
      return undefined;
    }
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of (await states()).keys()) names.push(name);
    return names;
  }

  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const directory = await states();
    const handle = await directory
      .getFileHandle(name, { create: make !== undefined })
      .catch((error: unknown) => {
        if (!make && isNotFound(error)) return undefined;
        throw error;
      });
    if (!handle) return undefined;
    // One opening for all that is read or written: what another page does meanwhile must not come between.
    return fileOf(await whileLocked(() => handle.createSyncAccessHandle()));
  }

  async remove(name: string): Promise<void> {
    const directory = await states();
    await whileLocked(() => directory.removeEntry(name)).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

/** Got anew each time: a person may clear the site's data under a machine that runs, and saves it again afterwards. */
const states = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle("states", { create: true });

const fileOf = (access: FileSystemSyncAccessHandle): StateFile => ({
  size: () => access.getSize(),
  read: (target, at) => {
    let done = 0;
    while (done < target.length) {
      const length = access.read(target.subarray(done), { at: at + done });
      if (length <= 0) break;
      done += length;
    }
    return done;
  },
  write: (bytes, at) => {
    for (let done = 0; done < bytes.length;) {
      const written = access.write(bytes.subarray(done), { at: at + done });
      if (written <= 0) throw new DOMException("no room left for the state", "QuotaExceededError");
      done += written;
    }
  },
  resize: (bytes) => access.truncate(bytes),
  flush: () => access.flush(),
  commit: async () => access.flush(),
  [Symbol.dispose]: () => access.close(),
});

const isNotFound = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "NotFoundError";

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

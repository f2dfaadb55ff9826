/** Moments of no machine, and folders that keep real files or end at any step, to try how states are kept. */
import { closeSync, existsSync, fsyncSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StateRefusedError } from "./errors.ts";
import { MemoryStateFolder } from "./memory-state-folder.ts";
import type { StateFile, StateFolder } from "./state-folder.ts";
import { makeStateHeader } from "./state-header.ts";
import type { KeptState, StateStore } from "./state-store.ts";
import type { SavableMachine } from "./state-transfer.ts";

export const identity = {
  level: "test",
  buildId: "b1",
  memoryMiB: 64,
  aperture: "64+64+16",
  v86Version: "0.5.462",
};

/** A machine that is only its bytes. */
export const momentOf = (bytes: Uint8Array, savedAt = 1_700_000_000_000): SavableMachine => ({
  capture: (sink) => {
    sink.begin(makeStateHeader(identity, bytes.length, savedAt));
    // Pieces as a machine has them: of many sizes.
    for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 7 + 3) % 300_007) {
      sink.write(bytes.subarray(at, at + step));
    }
  },
});

const made = new Map<string, Uint8Array>();

/** Bytes that differ everywhere between two seeds. */
export const bytesOf = (seed: number, length: number): Uint8Array => {
  const name = `${seed} ${length}`;
  let bytes = made.get(name);
  if (!bytes) made.set(name, (bytes = new Uint8Array(length)));
  else return bytes;
  let state = Math.imul(seed + 1, 0x9e3779b1);
  for (let at = 0; at < length; at++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    bytes[at] = state >>> 24;
  }
  return bytes;
};

/** All bytes of a kept state, read as a machine reads them. @throws StateRefusedError */
export const readBack = async (store: StateStore, kept: KeptState): Promise<Uint8Array> => {
  const { source } = await store.open(kept);
  using _ = source;
  const bytes = new Uint8Array(source.bytes);
  for (let at = 0; at < bytes.length; at += 10_007) source.read(bytes.subarray(at, at + 10_007), at);
  source.verifyRest();
  return bytes;
};

/** What a visit would get: the newest state that is whole, and what was passed over. */
export const visit = async (
  store: StateStore,
  key: string,
): Promise<{ bytes?: Uint8Array; refused: StateRefusedError[] }> => {
  const refused: StateRefusedError[] = [];
  for (const kept of await store.kept(key)) {
    try {
      return { bytes: await readBack(store, kept), refused };
    } catch (error) {
      if (!(error instanceof StateRefusedError)) throw error;
      store.disproved(kept, error);
      refused.push(error);
    }
  }
  return { refused };
};

/** Real files of this system. */
export class NodeStateFolder implements StateFolder {
  readonly kind = "OPFS";
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async names(): Promise<readonly string[]> {
    return readdirSync(this.#path);
  }

  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const path = join(this.#path, name);
    if (!existsSync(path)) {
      if (!make) return undefined;
      closeSync(openSync(path, "w"));
    }
    const file = openSync(path, "r+");
    let isOpen = true;
    return {
      size: () => fstatSync(file).size,
      read: (target, at) => readSync(file, target, 0, target.length, at),
      write: (bytes, at) => {
        for (let done = 0; done < bytes.length;) {
          done += writeSync(file, bytes, done, bytes.length - done, at + done);
        }
      },
      resize: (bytes) => ftruncateSync(file, bytes),
      flush: () => fsyncSync(file),
      commit: async () => fsyncSync(file),
      [Symbol.dispose]: () => {
        if (isOpen) closeSync(file);
        isOpen = false;
      },
    };
  }

  async remove(name: string): Promise<void> {
    rmSync(join(this.#path, name), { force: true });
  }
}

/** The end of the thread, in the midst of something. */
export class CutError extends Error {}

/**
 * Files that end at a step, as kill -9 ends them: half of what that step does is done, and nothing after it. `lose` tells, of the writes
 * since the last flush, which ones a power failure takes back.
 */
export class CutFolder implements StateFolder {
  readonly kind = "memory";
  /** What is on the disk. */
  readonly disk: MemoryStateFolder;
  /** What each step was, for messages. */
  readonly steps: string[] = [];
  readonly #cutAt: number;
  readonly #lose: ((index: number) => boolean) | undefined;
  #isCut = false;

  constructor(disk: MemoryStateFolder, cutAt = Infinity, lose?: (index: number) => boolean) {
    this.disk = disk;
    this.#cutAt = cutAt;
    this.#lose = lose;
  }

  async names(): Promise<readonly string[]> {
    this.#alive();
    return this.disk.names();
  }

  open(name: string, make: "make"): Promise<StateFile>;
  open(name: string): Promise<StateFile | undefined>;
  async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    this.#alive();
    const isNew = this.disk.contents(name) === undefined;
    if (make && isNew) this.#step(`make ${name}`);
    const file = make ? await this.disk.open(name, "make") : await this.disk.open(name);
    if (!file) return undefined;
    /** Undoes the writes that no flush has made sure of, last first. */
    let undo: (() => void)[] = [];
    const atCut = () => {
      for (const [index, back] of [...undo.entries()].toReversed()) if (this.#lose?.(index)) back();
    };
    const keeping = (at: number, length: number) => {
      const before = new Uint8Array(length);
      const got = file.read(before, at);
      undo.push(() => file.write(before.subarray(0, got), at));
    };
    return {
      size: () => file.size(),
      read: (target, at) => {
        this.#alive();
        return file.read(target, at);
      },
      write: (bytes, at) => {
        this.#alive();
        keeping(at, bytes.length);
        this.#step(`write ${bytes.length} at ${at} of ${name}`, () => {
          file.write(bytes.subarray(0, bytes.length >> 1), at);
          atCut();
        });
        file.write(bytes, at);
      },
      resize: (bytes) => {
        this.#step(`resize ${name}`, () => {
          file.resize((file.size() + bytes) >> 1);
          atCut();
        });
        file.resize(bytes);
      },
      flush: () => {
        this.#step(`flush ${name}`, atCut);
        undo = [];
      },
      commit: async () => {
        this.#step(`commit ${name}`, atCut);
        undo = [];
      },
      // A thread that has ended has no file open.
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }

  async remove(name: string): Promise<void> {
    this.#step(`remove ${name}`);
    await this.disk.remove(name);
  }

  #alive(): void {
    if (this.#isCut) throw new CutError("ended");
  }

  #step(what: string, half: () => void = () => {}): void {
    this.#alive();
    this.steps.push(what);
    if (this.steps.length !== this.#cutAt) return;
    half();
    this.#isCut = true;
    throw new CutError(`ended at step ${this.steps.length}: ${what}`);
  }
}

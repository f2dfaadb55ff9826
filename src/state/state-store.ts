/**
 * The saved machines of one folder: under each key (the guest's level) the newest state and the one before it.
 *
 * A save is written into a place that holds neither the newest state nor, until the newest has proven itself, the last one that did; it
 * counts once it was read back whole. Where there is no room the save fails and what was kept stays. So whatever happens at whatever
 * moment, one good state is there. A state has proven itself when a machine ran on after it: the machine that came out of it, or the one
 * that was saved in it.
 */
import { StateRefusedError } from "./errors.ts";
import { loadStateDigest } from "./state-digest.ts";
import type { StateDigest } from "./state-digest.ts";
import { readHeader, StateReader, writeState } from "./state-file.ts";
import type { StateProgress } from "./state-file.ts";
import type { StateFile, StateFolder } from "./state-folder.ts";
import type { StoredStateHeader } from "./state-header.ts";
import type { RestorableMachine, SavableMachine } from "./state-transfer.ts";

/** A file of a key that is a state by its header. */
export interface WholeState {
  readonly name: string;
  readonly bytes: number;
  readonly header: StoredStateHeader;
}

/** A file of a key: a state, or why it is none. */
export type KeptState =
  | WholeState
  | { readonly name: string; readonly bytes: number; readonly refused: StateRefusedError };

/** A state that was found: its header, and a source that whoever opened it disposes of. */
export interface StoredState extends RestorableMachine {
  readonly header: StoredStateHeader;
}

/** Places of a key: two that are kept, and one to write to while the newest has proven nothing. */
const PLACES = ["0", "1", "2"] as const;

const NO_PROGRESS: StateProgress = () => {};

/** One for the folder at a time (claim-states.ts); it remembers what has proven itself since it was made. */
export class StateStore {
  readonly #folder: StateFolder;
  /** By key: the generation that has proven itself. */
  readonly #proven = new Map<string, number>();
  /** Names of files that were found to be damaged when they were read as a whole. */
  readonly #damaged = new Map<string, StateRefusedError>();

  constructor(folder: StateFolder) {
    this.#folder = folder;
  }

  get kind(): StateFolder["kind"] {
    return this.#folder.kind;
  }

  /** What is kept, the newest first; what is no state before all, since nobody knows how new it was. */
  async kept(key: string): Promise<readonly KeptState[]> {
    const digest = await loadStateDigest();
    const kept: KeptState[] = [];
    for (const name of await this.#names(key)) {
      const file = await this.#folder.open(name);
      if (!file) continue;
      using _ = file;
      kept.push(this.#look(key, name, file, digest));
    }
    const order = (state: KeptState) => ("header" in state ? state.header.generation : Infinity);
    return kept.toSorted((a, b) => Number(order(b) > order(a)) - Number(order(b) < order(a)));
  }

  /**
   * Opens one of them to be restored; what comes out of its source was checked against its digests.
   * @throws StateRefusedError when it is no state, StateBusyError while somebody else has it
   */
  async open(kept: KeptState): Promise<StoredState> {
    if ("refused" in kept) throw kept.refused;
    const digest = await loadStateDigest();
    const file = await this.#folder.open(kept.name);
    if (!file) throw new StateRefusedError("truncated", "its file is gone");
    try {
      const source = new StateReader(file, kept.name, digest);
      return { header: source.header, source };
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** A machine came out of this state and ran on: what is older may go with the next save. */
  proved(key: string, { generation }: StoredStateHeader): void {
    this.#proven.set(key, generation);
  }

  /** This one could not be used: its place is the first to be written to. */
  disproved({ name }: KeptState, why: StateRefusedError): void {
    if (["damaged", "truncated", "format", "content"].includes(why.refusal)) this.#damaged.set(name, why);
  }

  /**
   * Keeps the machine as it is now, and the state before it.
   * @throws a QuotaExceededError when there is no room; then, as after any other failure, what was kept is still there
   */
  async save(
    key: string,
    machine: SavableMachine,
    progress: StateProgress = NO_PROGRESS,
  ): Promise<WholeState> {
    const digest = await loadStateDigest();
    const before = await this.kept(checkedKey(key));
    const places = this.#placesToWrite(key, before);
    const generation = 1 + Math.max(0, ...before.map((one) => ("header" in one ? one.header.generation : 0)));
    const written = await this.#write(places, machine, generation, digest, progress);
    const proven = this.#proven.get(key);
    this.#proven.set(key, generation);
    const states = before.filter((one) => "header" in one && one.name !== written.name) as WholeState[];
    const previous = states.find(({ header }) => header.generation === proven) ?? states[0];
    for (const { name } of before) {
      // What cannot be removed now can be when the next save is done.
      if (name !== written.name && name !== previous?.name) await this.#remove(name).catch(() => {});
    }
    return written;
  }

  async delete(key: string): Promise<void> {
    this.#proven.delete(key);
    for (const name of await this.#names(key)) await this.#remove(name);
  }

  /** Files of the key, those of an older format among them. */
  async #names(key: string): Promise<readonly string[]> {
    const names = await this.#folder.names();
    const own = [...PLACES.map((place) => `${key}.${place}`), key, `${key}.tmp`];
    return own.filter((name) => names.includes(name));
  }

  #look(key: string, name: string, file: StateFile, digest: StateDigest): KeptState {
    const bytes = file.size();
    const known = this.#damaged.get(name);
    if (known) return { name, bytes, refused: known };
    if (name === `${key}.tmp`) {
      return { name, bytes, refused: new StateRefusedError("unfinished", "its saving was cut off") };
    }
    if (name === key) {
      const words = "it was saved by an older spicetab, without the digests that show damage";
      return { name, bytes, refused: new StateRefusedError("version", words) };
    }
    try {
      return { name, bytes, header: readHeader(file, name, digest) };
    } catch (refused) {
      if (!(refused instanceof StateRefusedError)) throw refused;
      return { name, bytes, refused };
    }
  }

  /** Files that may be written to, best first; one at least. */
  #placesToWrite(key: string, kept: readonly KeptState[]): readonly string[] {
    const proven = this.#proven.get(key);
    const states = kept.filter((one) => "header" in one);
    const [newest, second] = states;
    const last = states.find(({ header }) => header.generation === proven) ?? second;
    const guarded = new Set<KeptState | undefined>(last === newest ? [newest] : [newest, last]);
    const own = PLACES.map((place) => `${key}.${place}`);
    const free = kept.filter((one) => own.includes(one.name) && !guarded.has(one));
    // No states first, then the oldest.
    const age = (one: KeptState) => ("header" in one ? -one.header.generation : 1);
    if (free.length > 0) return free.toSorted((a, b) => age(b) - age(a)).map(({ name }) => name);
    return own.filter((name) => !kept.some((one) => one.name === name)).slice(0, 1);
  }

  async #write(
    places: readonly string[],
    machine: SavableMachine,
    generation: number,
    digest: StateDigest,
    progress: StateProgress,
  ): Promise<WholeState> {
    const opened = new Map<string, StateFile>();
    const half = (part: number) => (done: number, total: number) => progress(part * total + done, 2 * total);
    try {
      for (const place of places) opened.set(place, await this.#folder.open(place, "make"));
      const { file, header } = await writeState(opened, machine, generation, digest, half(0));
      const name = header.place;
      // The file system has it; now it must give it back.
      await new StateReader(file, name, digest).verifyAll(half(1));
      this.#damaged.delete(name);
      return { name, bytes: file.size(), header };
    } catch (error) {
      for (const file of opened.values()) file[Symbol.dispose]();
      for (const place of places) await this.#discard(place, generation, digest).catch(() => {});
      throw error;
    } finally {
      for (const file of opened.values()) file[Symbol.dispose]();
    }
  }

  /** After a save that failed: its file goes, unless it is still the state that it was before. */
  async #discard(name: string, generation: number, digest: StateDigest): Promise<void> {
    const file = await this.#folder.open(name);
    if (!file) return;
    let isOther = false;
    try {
      isOther = readHeader(file, name, digest).generation !== generation;
    } catch {
      // It is no state.
    } finally {
      file[Symbol.dispose]();
    }
    if (!isOther) await this.#remove(name);
  }

  async #remove(name: string): Promise<void> {
    await this.#folder.remove(name);
    this.#damaged.delete(name);
  }
}

const keyPattern = /^[a-z0-9-]{1,64}$/;

/** Keys are plain names: a store may use them as file names. @throws RangeError */
export const checkedKey = (key: string): string => {
  if (!keyPattern.test(key)) throw new RangeError(`state key "${key}" must match ${keyPattern}`);
  return key;
};

/**
 * A saved state in a file, and the digests over every byte of it:
 *
 *     header, 4096 bytes | v86's state | u64 digest of each window of the state
 *
 * The header has the digest of the table and ends with the digest of itself. It is written last: until then the file says that it is
 * unfinished. Whoever reads a window gets the very bytes that were checked, never a second reading of them.
 */
import { StateRefusedError } from "./errors.ts";
import { STATE_FLUSH_BYTES, STATE_VERIFY_SLICE_MS, STATE_WINDOW_BYTES } from "./limits.ts";
import { STATE_DIGEST_BYTES } from "./state-digest.ts";
import type { StateDigest } from "./state-digest.ts";
import type { StateFile } from "./state-folder.ts";
import {
  decodeStateHeader,
  encodeStateHeader,
  STATE_HEADER_BYTES,
  STATE_VERSION,
  unfinishedHeader,
} from "./state-header.ts";
import type { StateHeader, StoredStateHeader } from "./state-header.ts";
import type { SavableMachine, StateSource } from "./state-transfer.ts";

const tableBytes = (stateBytes: number, windowBytes: number): number =>
  Math.ceil(stateBytes / windowBytes) * STATE_DIGEST_BYTES;

/** Bytes of a file with a state of `stateBytes`. */
export const stateFileBytes = (stateBytes: number, windowBytes = STATE_WINDOW_BYTES): number =>
  STATE_HEADER_BYTES + stateBytes + tableBytes(stateBytes, windowBytes);

/** Reads the header of the file `place`. @throws StateRefusedError */
export const readHeader = (file: StateFile, place: string, digest: StateDigest): StoredStateHeader => {
  const bytes = new Uint8Array(STATE_HEADER_BYTES);
  const header = decodeStateHeader(bytes.subarray(0, file.read(bytes, 0)), digest);
  // Else an older state's header would make the newest one look like the older.
  if (header.place !== place) throw damaged("its header belongs to another file");
  return header;
};

/** How far a save, or a look at what was saved, has come. */
export type StateProgress = (done: number, total: number) => void;

/**
 * Writes the machine into one of `files`, by their places: the first that has room. What is in it is lost from then on, not before.
 * @returns the header, and which file it is
 * @throws a QuotaExceededError when no file has room, with all of them as they were
 */
export const writeState = async (
  files: ReadonlyMap<string, StateFile>,
  machine: SavableMachine,
  generation: number,
  digest: StateDigest,
  progress: StateProgress,
): Promise<{ header: StoredStateHeader; file: StateFile }> => {
  let writer: StateWriter | undefined;
  let place = "";
  let made: StateHeader | undefined;
  machine.capture({
    begin: (header) => {
      made = header;
      place = placeWithRoom(files, stateFileBytes(header.stateBytes));
      writer = new StateWriter(files.get(place)!, header.stateBytes, digest, progress);
    },
    write: (piece) => writer?.write(piece),
  });
  if (writer === undefined || made === undefined) throw new RangeError("the machine wrote nothing");
  const { file } = writer;
  const tableDigest = writer.end();
  file.flush();
  const header = { ...made, place, generation, windowBytes: STATE_WINDOW_BYTES, tableDigest };
  file.write(encodeStateHeader(header, digest), 0);
  await file.commit();
  return { header, file };
};

const placeWithRoom = (files: ReadonlyMap<string, StateFile>, bytes: number): string => {
  let problem: unknown = new RangeError("there is no file to write to");
  for (const [place, file] of files) {
    const before = file.size();
    try {
      // A file of zeros would look like one that was damaged.
      if (before === 0) file.write(unfinishedHeader(), 0);
      file.resize(Math.max(before, bytes));
      return place;
    } catch (error) {
      problem = error;
      // A longer file is no state any more: back to what it was.
      if (file.size() !== before) file.resize(before);
    }
  }
  throw problem;
};

/** Writes in large pieces: a call of the file system costs more than a copy of many pages. */
class StateWriter {
  readonly file: StateFile;
  readonly #digest: StateDigest;
  readonly #progress: StateProgress;
  readonly #stateBytes: number;
  readonly #window = new Uint8Array(STATE_WINDOW_BYTES);
  readonly #table: BigUint64Array<ArrayBuffer>;
  #held = 0;
  #written = 0;

  constructor(file: StateFile, stateBytes: number, digest: StateDigest, progress: StateProgress) {
    this.file = file;
    this.#digest = digest;
    this.#progress = progress;
    this.#stateBytes = stateBytes;
    this.#table = new BigUint64Array(tableBytes(stateBytes, STATE_WINDOW_BYTES) / STATE_DIGEST_BYTES);
    file.write(unfinishedHeader(), 0);
  }

  write(piece: Uint8Array): void {
    for (let done = 0; done < piece.length;) {
      const length = Math.min(piece.length - done, this.#window.length - this.#held);
      this.#window.set(piece.subarray(done, done + length), this.#held);
      this.#held += length;
      done += length;
      if (this.#held === this.#window.length) this.#store();
    }
  }

  /** Writes what is held, and the table. @returns the table's digest */
  end(): string {
    if (this.#held > 0) this.#store();
    if (this.#written !== this.#stateBytes) {
      throw new RangeError(`the machine has ${this.#written} bytes, not the ${this.#stateBytes} it said`);
    }
    const table = littleEndian(this.#table);
    this.file.write(table, STATE_HEADER_BYTES + this.#stateBytes);
    this.file.resize(stateFileBytes(this.#stateBytes));
    return hex(this.#digest(table));
  }

  #store(): void {
    const window = this.#window.subarray(0, this.#held);
    this.#table[this.#written / STATE_WINDOW_BYTES] = this.#digest(window);
    this.file.write(window, STATE_HEADER_BYTES + this.#written);
    this.#written += this.#held;
    this.#held = 0;
    if (this.#written % STATE_FLUSH_BYTES === 0) this.file.flush();
    this.#progress(this.#written, this.#stateBytes);
  }
}

/** A state out of a file, each window checked when it is read. Owns the file. */
export class StateReader implements StateSource {
  readonly header: StoredStateHeader;
  readonly bytes: number;
  readonly #file: StateFile;
  readonly #digest: StateDigest;
  readonly #table: DataView;
  readonly #verified: Uint8Array;
  readonly #window: Uint8Array<ArrayBuffer>;
  #shown: Uint8Array<ArrayBuffer>;
  #shownIndex = -1;

  /** @throws StateRefusedError; the file stays the caller's then */
  constructor(file: StateFile, place: string, digest: StateDigest) {
    this.#file = file;
    this.#digest = digest;
    this.header = readHeader(file, place, digest);
    const { stateVersion, stateBytes, windowBytes, tableDigest } = this.header;
    if (stateVersion !== STATE_VERSION) {
      const versions = `it has format ${stateVersion}, this build reads ${STATE_VERSION}`;
      throw new StateRefusedError("version", versions);
    }
    if (windowBytes > STATE_WINDOW_BYTES) throw damaged("its windows are of another size");
    this.bytes = stateBytes;
    const size = file.size();
    const wanted = stateFileBytes(stateBytes, windowBytes);
    if (size < wanted) throw new StateRefusedError("truncated", `its file has ${size} of ${wanted} bytes`);
    if (size > wanted) throw damaged(`its file has ${size} bytes instead of ${wanted}`);
    const table = new Uint8Array(tableBytes(stateBytes, windowBytes));
    const read = file.read(table, STATE_HEADER_BYTES + stateBytes);
    if (read !== table.length || hex(digest(table)) !== tableDigest) throw damaged("its digests are damaged");
    this.#table = new DataView(table.buffer);
    this.#verified = new Uint8Array(table.length / STATE_DIGEST_BYTES);
    this.#window = new Uint8Array(Math.min(windowBytes, stateBytes));
    this.#shown = this.#window.subarray(0, 0);
  }

  read(target: Uint8Array, at: number): void {
    const { windowBytes } = this.header;
    if (at + target.length > this.bytes) {
      throw new StateRefusedError("truncated", `it has only ${this.bytes} bytes`);
    }
    for (let done = 0; done < target.length;) {
      const place = at + done;
      const index = Math.floor(place / windowBytes);
      this.#show(index);
      const from = place - index * windowBytes;
      const piece = this.#shown.subarray(from, from + target.length - done);
      target.set(piece, done);
      done += piece.length;
    }
  }

  verifyRest(): void {
    for (const [index, isVerified] of this.#verified.entries()) if (!isVerified) this.#show(index);
  }

  /** {@link verifyRest} in slices, beside other work of this thread. */
  async verifyAll(progress: StateProgress): Promise<void> {
    let end = performance.now() + STATE_VERIFY_SLICE_MS;
    for (const index of this.#verified.keys()) {
      this.#show(index);
      progress(Math.min((index + 1) * this.header.windowBytes, this.bytes), this.bytes);
      if (performance.now() < end) continue;
      await new Promise((resolve) => setTimeout(resolve));
      end = performance.now() + STATE_VERIFY_SLICE_MS;
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Reads a window, and checks what was read. */
  #show(index: number): void {
    if (index === this.#shownIndex) return;
    const { windowBytes } = this.header;
    const at = index * windowBytes;
    const window = this.#window.subarray(0, Math.min(windowBytes, this.bytes - at));
    this.#shownIndex = -1;
    const read = this.#file.read(window, STATE_HEADER_BYTES + at);
    const expected = this.#table.getBigUint64(index * STATE_DIGEST_BYTES, true);
    if (read !== window.length || this.#digest(window) !== expected) {
      throw damaged(`bytes ${at} to ${at + window.length - 1} are not what was saved`);
    }
    this.#shown = window;
    this.#shownIndex = index;
    this.#verified[index] = 1;
  }
}

const damaged = (how: string): StateRefusedError => new StateRefusedError("damaged", how);

const hex = (digest: bigint): string => digest.toString(16).padStart(2 * STATE_DIGEST_BYTES, "0");

const littleEndian = (numbers: BigUint64Array): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(numbers.length * STATE_DIGEST_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of numbers.entries())
    view.setBigUint64(index * STATE_DIGEST_BYTES, number, true);
  return bytes;
};

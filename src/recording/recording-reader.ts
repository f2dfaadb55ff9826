import { CodedError } from "../errors/index.ts";
import type { DataSpan } from "../protocol/red-command.ts";

/** A recording that is not what libspice-server writes: at which byte, and what was expected there. */
export class RecordingError extends CodedError {
  override readonly name = "RecordingError";
  readonly code = "RECORDING";
  /** Byte of the file. */
  readonly offset: number;

  constructor(offset: number, problem: string) {
    super(`recording: ${problem} (at byte ${offset})`);
    this.offset = offset;
  }
}

const NEWLINE = 0x0a;
const COLON = 0x3a;
/** Longer than any line that is written; what is longer is no line. */
const MAX_LINE = 4096;

/** The tokens of a recording: text lines `key value…` ended by a newline, with blobs between. */
export class RecordingReader {
  readonly bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  line(): string {
    return this.#until(NEWLINE, "a line");
  }

  /** The words after `key` on the next line. */
  words(key: string): string[] {
    const at = this.position;
    const [first, ...rest] = this.line().split(" ");
    if (first !== key) throw new RecordingError(at, `expected "${key}", found "${first.slice(0, 40)}"`);
    return rest;
  }

  /** The text after the last space of a line `key value`. */
  #value(key: string): string {
    const at = this.position;
    const text = this.line();
    const space = text.lastIndexOf(" ");
    if (text.slice(0, space) !== key) {
      throw new RecordingError(at, `expected "${key}", found "${text.slice(0, 60)}"`);
    }
    return text.slice(space + 1);
  }

  number(key: string): number {
    return Number(this.#value(key));
  }

  bigint(key: string): bigint {
    return BigInt(this.#value(key));
  }

  numbers(key: string, name?: string): number[] {
    const at = this.position;
    const words = this.words(key);
    if (name !== undefined && words.shift() !== name)
      throw new RecordingError(at, `expected "${key} ${name}"`);
    return words.map(Number);
  }

  /** A BLOB: its bytes in the file. */
  blob(name: string): Uint8Array {
    const at = this.position;
    const [word, compressed, prefix, length] = this.#until(COLON, "a blob").split(" ");
    if (word !== "binary" || prefix !== name) throw new RecordingError(at, `expected blob "${name}"`);
    if (compressed !== "0")
      throw new RecordingError(at, "compressed blobs are not supported: record without a filter");
    const start = this.position;
    const end = start + Number(length);
    if (!(end < this.bytes.length) || this.bytes[end] !== NEWLINE) {
      throw new RecordingError(at, `blob "${name}" has no end`);
    }
    this.position = end + 1;
    return this.bytes.subarray(start, end);
  }

  /** CHUNKS: the blobs of a chunk chain, in order. */
  chunks(name: string): Uint8Array[] {
    const [further] = this.numbers("data_chunks");
    const parts: Uint8Array[] = [];
    for (let i = 0; i <= further; i++) parts.push(this.blob(name));
    return parts;
  }

  #until(end: number, what: string): string {
    const start = this.position;
    const at = this.bytes.indexOf(end, start);
    if (at < 0) throw new RecordingError(start, `the file ends inside ${what}`);
    this.position = at + 1;
    return String.fromCharCode(...this.bytes.subarray(start, Math.min(at, start + MAX_LINE)));
  }
}

/** Joins the data of one event; gives the spans. */
export class SpanCollector {
  #parts: Uint8Array[] = [];
  #length = 0;

  add(parts: readonly Uint8Array[]): DataSpan {
    const offset = this.#length;
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return { offset, length: this.#length - offset };
  }

  take(): Uint8Array<ArrayBuffer> {
    const data = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      data.set(part, offset);
      offset += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return data;
  }
}

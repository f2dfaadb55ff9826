import { FULL_HEADER_SIZE, MINI_HEADER_SIZE } from "../protocol/index.ts";
import { CUTTER_KEPT_BYTES } from "./limits.ts";

/** Told of each whole message: its type, and its body unless that is longer than {@link CUTTER_KEPT_BYTES}. */
export type OnMessage = (type: number, body: Uint8Array<ArrayBuffer> | undefined) => void;

/**
 * Finds where messages begin and end in one direction of a channel, however its bytes are cut, and keeps nothing that is large. Judges
 * nothing: that is for whoever the messages are for.
 */
export class MessageCutter {
  readonly #headerBytes: number;
  readonly #onMessage: OnMessage;
  readonly #kept: Uint8Array<ArrayBuffer>;
  #length = 0;
  /** All its bytes, once its header is there. */
  #total = Number.POSITIVE_INFINITY;

  constructor(miniHeader: boolean, onMessage: OnMessage) {
    this.#headerBytes = miniHeader ? MINI_HEADER_SIZE : FULL_HEADER_SIZE;
    this.#kept = new Uint8Array(this.#headerBytes + CUTTER_KEPT_BYTES);
    this.#onMessage = onMessage;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const end = this.#length < this.#headerBytes ? this.#headerBytes : this.#total;
      const part = bytes.subarray(at, at + end - this.#length);
      if (this.#length < this.#kept.length)
        this.#kept.set(part.subarray(0, this.#kept.length - this.#length), this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#headerBytes) this.#total = this.#headerBytes + this.#bodyBytes;
      if (this.#length === this.#total) this.#finish();
    }
  }

  /** Bytes of the message under way that have come. */
  get length(): number {
    return this.#length;
  }

  /** The message under way will not go on: what comes next begins another. */
  forget(): void {
    this.#length = 0;
    this.#total = Number.POSITIVE_INFINITY;
  }

  /** What has come of the message under way; undefined if it is too long to be kept. */
  get rest(): Uint8Array<ArrayBuffer> | undefined {
    return this.#length > this.#kept.length ? undefined : this.#kept.slice(0, this.#length);
  }

  /** Type u16 and size u32, in the mini header at once, in the full one behind the serial. */
  get #bodyBytes(): number {
    return new DataView(this.#kept.buffer).getUint32(this.#typeAt + 2, true);
  }

  get #typeAt(): number {
    return this.#headerBytes === MINI_HEADER_SIZE ? 0 : 8;
  }

  #finish(): void {
    const type = new DataView(this.#kept.buffer).getUint16(this.#typeAt, true);
    const body =
      this.#total > this.#kept.length ? undefined : this.#kept.slice(this.#headerBytes, this.#total);
    this.forget();
    this.#onMessage(type, body);
  }
}

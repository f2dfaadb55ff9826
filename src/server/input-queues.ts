import type { InputQueue } from "./input-lane.ts";
import { KEYS_PIECE_BYTES } from "./limits.ts";

/** Bytes of the set 1 key that begins with `first`. */
const keyLength = (first: number): number => (first === 0xe0 ? 2 : first === 0xe1 ? 3 : 1);

/** Those of the keys in `bytes` that let go. */
export function releasesIn(bytes: readonly number[]): number[] {
  const releases: number[] = [];
  for (let at = 0; at < bytes.length; at += keyLength(bytes[at])) {
    const key = bytes.slice(at, at + keyLength(bytes[at]));
    if ((key[key.length - 1] & 0x80) !== 0) releases.push(...key);
  }
  return releases;
}

/** Scancodes of one source. A key is never torn: another source's bytes would come between. */
export class KeyQueue implements InputQueue<number[]> {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  get ready(): boolean {
    return this.#bytes.length > 0 && keyLength(this.#bytes[0]) <= this.#bytes.length;
  }

  add(bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  take(): number[] {
    let end = 0;
    while (end < this.#bytes.length) {
      const next = end + keyLength(this.#bytes[end]);
      if (next > this.#bytes.length || (end > 0 && next > KEYS_PIECE_BYTES)) break;
      end = next;
    }
    return this.#bytes.splice(0, end);
  }

  clear(): void {
    this.#bytes = [];
  }
}

/** Where the pointer goes or how far, with the buttons and the step of the wheel that come with it. */
export type PointerInput = { readonly dz: number; readonly buttons: number } & (
  | { readonly kind: "motion"; readonly dx: number; readonly dy: number }
  | { readonly kind: "position"; readonly x: number; readonly y: number; readonly displayId: number }
);

/**
 * The pointer of one source. What the guest has not taken yet is overtaken: motions add up and a newer position takes the place of an
 * older one; but each change of a button and each step of the wheel stays, where and in the order it happened.
 */
export class PointerQueue implements InputQueue<PointerInput> {
  readonly #inputs: PointerInput[] = [];

  get length(): number {
    return this.#inputs.length;
  }

  get ready(): boolean {
    return this.#inputs.length > 0;
  }

  add(input: PointerInput): void {
    const last = this.#inputs.at(-1);
    const overtakes = last?.buttons === input.buttons && last.dz === 0 && input.dz === 0;
    if (overtakes && last.kind === "position" && input.kind === "position") {
      this.#inputs[this.#inputs.length - 1] = input;
    } else if (overtakes && last.kind === "motion" && input.kind === "motion") {
      this.#inputs[this.#inputs.length - 1] = {
        ...input,
        dx: last.dx + input.dx,
        dy: last.dy + input.dy,
      };
    } else this.#inputs.push(input);
  }

  take(): PointerInput {
    return this.#inputs.shift()!;
  }

  /** Keeps the last, which says how the buttons are in the end; how many went. */
  collapse(): number {
    const last = this.#inputs.pop();
    const gone = this.#inputs.length;
    this.#inputs.length = 0;
    if (last !== undefined) this.#inputs.push({ ...last, dz: 0 });
    return gone;
  }

  clear(): void {
    this.#inputs.length = 0;
  }
}

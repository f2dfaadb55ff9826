import { MessageCutter } from "./message-cutter.ts";

/**
 * Lets one direction of a channel through by whole messages, however its bytes are cut: the beginning of one waits for its end, unless it
 * is so long that whoever is to read it would rather begin.
 */
export class WholeMessages {
  readonly #cutter: MessageCutter;
  readonly #mostHeldBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** The message under way is on its way already. */
  #torn = false;

  constructor(miniHeader: boolean, mostHeldBytes: number) {
    this.#cutter = new MessageCutter(miniHeader, () => (this.#torn = false));
    this.#mostHeldBytes = mostHeldBytes;
  }

  /** @returns what is let through, in order; pieces of what was pushed, without a copy */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const wasTorn = this.#torn;
    this.#cutter.push(bytes);
    // Of these bytes, those of a message that is not whole.
    const open = Math.min(this.#cutter.length, bytes.length);
    const isSameMessage = this.#cutter.length > bytes.length || open === bytes.length;
    const through: Uint8Array[] = [];
    if (wasTorn && this.#torn) return [bytes];
    if (!isSameMessage || open === 0) {
      through.push(...this.flush(), bytes.subarray(0, bytes.length - open));
    }
    if (open > 0) {
      this.#held.push(bytes.subarray(bytes.length - open));
      this.#heldBytes += open;
    }
    if (this.#heldBytes > this.#mostHeldBytes) {
      through.push(...this.flush());
      this.#torn = true;
    }
    return through.filter(({ length }) => length > 0);
  }

  /** What is held, when nothing follows: it is for whoever reads to see that it is torn. */
  flush(): readonly Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** What is held will never be whole. @returns false if a part of that message is through already */
  drop(): boolean {
    this.flush();
    this.#cutter.forget();
    return !this.#torn;
  }
}

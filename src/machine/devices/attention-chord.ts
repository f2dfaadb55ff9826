/** Finds Ctrl+Alt+Del in what a keyboard sends. */
import { splitKeys } from "./keyboard.ts";

const CONTROL = 0x1d;
const ALT = 0x38;
const DELETE = 0x53;
const BREAK_BIT = 0x80;

export class AttentionChord {
  readonly #held = new Set<number>();
  #rest: number[] = [];

  /** Takes set-1 scancode bytes; true when the chord was pressed with them, by either Ctrl, Alt and Del. */
  push(bytes: readonly number[]): boolean {
    const { keys, rest } = splitKeys([...this.#rest, ...bytes]);
    this.#rest = rest;
    let isPressed = false;
    for (const key of keys) {
      const last = key.at(-1) ?? 0;
      const code = last & ~BREAK_BIT;
      if (last & BREAK_BIT) this.#held.delete(code);
      else this.#held.add(code);
      if (last === DELETE && this.#held.has(CONTROL) && this.#held.has(ALT)) isPressed = true;
    }
    return isPressed;
  }
}

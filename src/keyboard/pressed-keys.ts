import { pressBytes, releaseBytes } from "./scancodes.ts";

/** The one owner of what is down in the guest. Nobody else presses a key that he does not let go of in the same breath. */
export class PressedKeys {
  readonly #send: (bytes: readonly number[]) => void;
  /** What holds a key (a key of the person's keyboard), and the guest's key that it holds. */
  readonly #held = new Map<string, string>();
  /** What the guest's key sent when it went down. */
  readonly #presses = new Map<string, readonly number[]>();

  constructor(send: (bytes: readonly number[]) => void) {
    this.#send = send;
  }

  /** Codes that are down, in the order in which they went down. */
  get codes(): readonly string[] {
    return [...this.#presses.keys()];
  }

  get sources(): readonly string[] {
    return [...this.#held.keys()];
  }

  has(code: string): boolean {
    return this.#presses.has(code);
  }

  /** The guest's key that this source holds. */
  heldBy(source: string): string | undefined {
    return this.#held.get(source);
  }

  /** Down, or once more: a keyboard repeats what it sent. */
  press(source: string, code: string): void {
    const before = this.#held.get(source);
    if (before !== undefined && before !== code) this.release(source);
    const bytes = pressBytes(code, {
      control: this.has("ControlLeft") || this.has("ControlRight"),
      alt: this.has("AltLeft") || this.has("AltRight"),
    });
    // Some keys send all they have when they go down.
    if (releaseBytes(bytes).length === 0) {
      this.#say(bytes);
      return;
    }
    const first = this.#presses.get(code);
    this.#send(first ?? bytes);
    if (first === undefined) this.#presses.set(code, bytes);
    this.#held.set(source, code);
  }

  /** False: this source held nothing. */
  release(source: string): boolean {
    const code = this.#held.get(source);
    if (code === undefined) return false;
    this.#held.delete(source);
    if (![...this.#held.values()].includes(code)) this.#up(code);
    return true;
  }

  releaseAll(): void {
    this.#held.clear();
    for (const code of [...this.#presses.keys()].toReversed()) this.#up(code);
  }

  /** Does something with other modifiers than those that are down: these go up, those down, and all is as before afterwards. */
  with(lifted: readonly string[], added: readonly string[], work: () => void): void {
    const before = [...this.#presses];
    for (const code of lifted.toReversed()) this.#up(code);
    for (const code of added) this.#down(code, pressBytes(code));
    work();
    for (const code of added.toReversed()) this.#up(code);
    this.#presses.clear();
    for (const [code, press] of before) {
      if (lifted.includes(code)) this.#say(press);
      this.#presses.set(code, press);
    }
  }

  /** Down and up at once. */
  tap(code: string): void {
    const bytes = pressBytes(code);
    // It is down already: up first, or the guest would take it for a repetition.
    const held = this.#presses.get(code);
    if (held !== undefined) this.#say(releaseBytes(held));
    this.#say(bytes);
    this.#say(releaseBytes(bytes));
    if (held !== undefined) this.#say(held);
  }

  #down(code: string, press: readonly number[]): void {
    this.#presses.set(code, press);
    this.#say(press);
  }

  #up(code: string): void {
    const press = this.#presses.get(code);
    this.#presses.delete(code);
    this.#say(releaseBytes(press ?? []));
  }

  #say(bytes: readonly number[]): void {
    if (bytes.length > 0) this.#send(bytes);
  }
}

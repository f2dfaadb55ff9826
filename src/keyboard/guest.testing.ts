import { isDead, spacingAccents } from "./dead-keys.ts";
import type { KeyEvent } from "./key-event.ts";
import type { KeyboardLayout } from "./layout.ts";
import { pressBytes, releaseBytes } from "./scancodes.ts";

const CODES = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => `Key${letter}`);
const ALL_CODES = [
  ...CODES,
  ...[..."0123456789"].map((digit) => `Digit${digit}`),
  ...[..."0123456789"].map((digit) => `Numpad${digit}`),
  ...Array.from({ length: 24 }, (_, i) => `F${i + 1}`),
  ..."Minus Equal BracketLeft BracketRight Semicolon Quote Backquote Backslash Comma Period Slash IntlBackslash IntlRo".split(
    " ",
  ),
  ..."IntlYen Space Enter Tab Escape Backspace Delete Insert Home End PageUp PageDown ArrowUp ArrowDown ArrowLeft".split(
    " ",
  ),
  ..."ArrowRight CapsLock NumLock ScrollLock ShiftLeft ShiftRight ControlLeft ControlRight AltLeft AltRight".split(
    " ",
  ),
  ..."MetaLeft MetaRight ContextMenu PrintScreen NumpadDecimal NumpadAdd NumpadSubtract NumpadMultiply".split(
    " ",
  ),
  ..."NumpadDivide NumpadEnter NumpadComma NumpadEqual KanaMode Convert NonConvert BrowserBack AudioVolumeUp".split(
    " ",
  ),
];

/** A PC with a keyboard layout: what the bytes of its keyboard leave pressed, and type. */
export class ModelGuest {
  readonly down = new Set<string>();
  readonly calls: number[][] = [];
  text = "";
  leds = 0;
  layout: KeyboardLayout;
  #dead = "";
  readonly #makes = new Map(ALL_CODES.map((code) => [pressBytes(code).join(), code]));
  readonly #breaks = new Map(ALL_CODES.map((code) => [releaseBytes(pressBytes(code)).join(), code]));

  constructor(layout: KeyboardLayout) {
    this.layout = layout;
    this.#makes.set("84", "PrintScreen");
    this.#breaks.set("212", "PrintScreen");
  }

  receive = (bytes: readonly number[]): void => {
    this.calls.push([...bytes]);
    const key = bytes.join();
    const made = this.#makes.get(key);
    if (made !== undefined) {
      this.#press(made);
      return;
    }
    const broken = this.#breaks.get(key);
    if (broken !== undefined && !this.down.delete(broken))
      throw new Error(`${broken} went up and was not down`);
  };

  /** All that was sent, in hexadecimal, one call after another. */
  get sent(): string {
    return this.calls.map((bytes) => bytes.map((byte) => byte.toString(16)).join(" ")).join(" | ");
  }

  #press(code: string): void {
    const isRepeat = this.down.has(code);
    this.down.add(code);
    if (!isRepeat && code === "CapsLock") this.leds ^= 4;
    if (!isRepeat && code === "NumLock") this.leds ^= 2;
    const held = (name: string) => this.down.has(`${name}Left`) || this.down.has(`${name}Right`);
    if (held("Control") || held("Meta") || this.down.has("AltLeft")) return;
    if (this.down.has("AltRight") && !this.layout.hasAltGraph) return;
    if (code === "Enter") this.text += "\n";
    if (/^Numpad[0-9]$/.test(code) && (this.leds & 2) !== 0) this.text += code.at(-1);
    const caps = (this.leds & 4) !== 0;
    const character = code.startsWith("Numpad")
      ? undefined
      : this.layout.at(code, held("Shift"), this.down.has("AltRight"), caps);
    if (character !== undefined) this.#type(character);
  }

  #type(character: string): void {
    const dead = this.#dead;
    this.#dead = "";
    if (isDead(character) && dead === "") this.#dead = character;
    else if (dead === "") this.text += character;
    else if (character === dead || character === " ") this.text += spacingAccents[dead];
    else this.text += (character + dead).normalize("NFC");
  }
}

/** A KeyboardEvent as a browser would make it. Modifiers are given by name: "Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock". */
export function keyEvent(
  code: string,
  key: string,
  options: { modifiers?: readonly string[]; repeat?: boolean; isTrusted?: boolean; keyCode?: number } = {},
): KeyEvent {
  const { modifiers = [], repeat = false, isTrusted = true, keyCode = 0 } = options;
  return {
    code,
    key,
    keyCode,
    repeat,
    isTrusted,
    isComposing: false,
    location: code.startsWith("Numpad") ? 3 : code.endsWith("Right") ? 2 : code.endsWith("Left") ? 1 : 0,
    shiftKey: modifiers.includes("Shift"),
    ctrlKey: modifiers.includes("Control"),
    altKey: modifiers.includes("Alt"),
    metaKey: modifiers.includes("Meta"),
    getModifierState: (name) => modifiers.includes(name),
  };
}

/**
 * The key events of a browser as the keys of a PC keyboard. A browser's events are not a keyboard's: they lack keys, make up others
 * and mean the layout of the person's system, which need not be the guest's. What is typed should be what the person's keyboard says.
 */
import { isCharacter, isInputMethods } from "./key-event.ts";
import type { KeyEvent, KeyboardPlatform } from "./key-event.ts";
import type { KeyStroke, KeyboardLayout } from "./layout.ts";
import { ALT_GRAPH_WAIT_MS, TYPED_TEXT_CHARACTERS } from "./limits.ts";
import { Led, LockKeys, ledOfKey } from "./lock-keys.ts";
import { MOMENTARY_KEYS, placeOfNamedKey } from "./named-keys.ts";
import { PressedKeys } from "./pressed-keys.ts";
import { isPcKey, modernCode } from "./scancodes.ts";

/**
 * "characters": what the person's keyboard says is what the guest gets, whatever the two layouts. "positions": keys go by their place,
 * as on a cable, and the guest's layout decides.
 */
export type KeyboardMode = "characters" | "positions";

export interface GuestKeyboardOptions {
  /** PS/2 set-1 bytes for the guest. */
  readonly send: (bytes: readonly number[]) => void;
  readonly layout: KeyboardLayout;
  readonly mode?: KeyboardMode;
  /** Asked at every event. */
  readonly platform?: () => KeyboardPlatform;
  /** Characters that the guest's layout has no keys for: not typed. */
  readonly onImpossible?: (characters: readonly string[]) => void;
  /** A text was longer than {@link TYPED_TEXT_CHARACTERS}; the rest was not typed. */
  readonly onCut?: (characters: number) => void;
  readonly setTimer?: (callback: () => void, ms: number) => unknown;
  readonly clearTimer?: (timer: unknown) => void;
}

/** What became of an event. */
export interface KeyOutcome {
  /** The browser must not act on it, nor make input of it. */
  readonly handled: boolean;
  /** Control and Alt were pressed and let go with nothing between: the person wants the keyboard back. */
  readonly freed: boolean;
}

const HANDLED: KeyOutcome = { handled: true, freed: false };
const LEFT_ALONE: KeyOutcome = { handled: false, freed: false };
const FREED: KeyOutcome = { handled: true, freed: true };

const CONTROLS = ["ControlLeft", "ControlRight"];
const SHIFTS = ["ShiftLeft", "ShiftRight"];
const METAS = ["MetaLeft", "MetaRight"];
const MODIFIERS = [...CONTROLS, ...SHIFTS, ...METAS, "AltLeft", "AltRight"];

export class GuestKeyboard implements Disposable {
  readonly #options: GuestKeyboardOptions;
  readonly #keys: PressedKeys;
  readonly #locks = new LockKeys();
  #layout: KeyboardLayout;
  #mode: KeyboardMode;
  /** Left Control, held back: Windows makes one up in front of AltGr. */
  #control: { readonly timer: unknown } | undefined;
  /** That Control was made up: nothing is heard of it until AltGr is let go. */
  #isAltGraph = false;
  /** The right Alt that is down calls itself AltGr. */
  #isNamedAltGraph = false;
  /** Control and Alt are down and nothing else was pressed since. */
  #freeing = false;

  constructor(options: GuestKeyboardOptions) {
    this.#options = options;
    this.#layout = options.layout;
    this.#mode = options.mode ?? "characters";
    this.#keys = new PressedKeys((bytes) => options.send(bytes));
  }

  get layout(): KeyboardLayout {
    return this.#layout;
  }

  /** The guest's layout changed. Keys that are down are let go of. */
  set layout(layout: KeyboardLayout) {
    this.releaseAll();
    this.#layout = layout;
  }

  get mode(): KeyboardMode {
    return this.#mode;
  }

  set mode(mode: KeyboardMode) {
    this.releaseAll();
    this.#mode = mode;
  }

  /** Codes of the guest's keys that are down. */
  get down(): readonly string[] {
    return this.#keys.codes;
  }

  /** The guest's LEDs, as SpiceKeyboardModifierFlags. */
  setLeds(leds: number): void {
    this.#locks.shown(leds);
  }

  keyDown(event: KeyEvent): KeyOutcome {
    if (isInputMethods(event)) return LEFT_ALONE;
    const code = codeOf(event);
    if (code === "ControlLeft" && this.#holdControlBack(event)) return HANDLED;
    const isAltGraph = code === "AltRight" && this.#claimAltGraph(event);
    if (!isAltGraph) this.#controlCounts();
    if (event.isTrusted) this.#letGoOfLost(event, code);
    const outcome = this.#down(event, code);
    if (code === "AltRight") this.#isNamedAltGraph = event.key === "AltGraph";
    this.#freeing = this.#isFreeChord();
    return outcome;
  }

  keyUp(event: KeyEvent): KeyOutcome {
    const code = codeOf(event);
    if (code === "ControlLeft" && this.#isAltGraph) return HANDLED;
    this.#controlCounts();
    const freed = this.#freeing;
    this.#freeing = false;
    if (code === "AltRight") this.#isAltGraph = false;
    if (code === "CapsLock" && this.#platform === "mac") {
      this.#turnCapsLockOfMac(event);
      return HANDLED;
    }
    const had = this.#keys.release(sourceOf(event));
    // Windows tells of PrintScreen only that it went up.
    if (!had && code === "PrintScreen") this.#keys.tap(code);
    // macOS tells nothing of the keys that go up while Command is down.
    if (METAS.includes(code)) this.#releaseAllButModifiers();
    if (freed) return FREED;
    return had ? HANDLED : LEFT_ALONE;
  }

  /** The pointer is about to press or turn something: a Control that was held back counts with it. */
  pointerActs(): void {
    this.#controlCounts();
    this.#freeing = false;
  }

  /** Types a text. What has no key is told, and left out. */
  type(text: string): void {
    const characters = [...text.normalize("NFC").replaceAll("\r\n", "\n")];
    const impossible = new Set<string>();
    for (const character of characters.slice(0, TYPED_TEXT_CHARACTERS)) {
      if (!this.#typeCharacter(character)) impossible.add(character);
    }
    if (impossible.size > 0) this.#options.onImpossible?.([...impossible]);
    if (characters.length > TYPED_TEXT_CHARACTERS) {
      this.#options.onCut?.(characters.length - TYPED_TEXT_CHARACTERS);
    }
  }

  /** A key by its code, down and up: for buttons on the page. */
  tap(code: string): void {
    this.#keys.tap(code);
  }

  /** A key that the page itself holds or lets go of. */
  hold(code: string, down: boolean): void {
    if (down) this.#keys.press(`page:${code}`, code);
    else this.#keys.release(`page:${code}`);
  }

  /** Lets go of everything that is down in the guest: focus, window, connection or machine went away. */
  releaseAll(): void {
    this.#dropControl();
    this.#isAltGraph = false;
    this.#freeing = false;
    this.#keys.releaseAll();
  }

  [Symbol.dispose](): void {
    this.releaseAll();
  }

  // --- going down ----------------------------------------------------------------------------------------------------

  #down(event: KeyEvent, code: string): KeyOutcome {
    const isLock = ledOfKey(code) !== 0 && (event.key === code || !isNamed(event));
    if (isLock && code === "CapsLock" && this.#platform === "mac") {
      this.#turnCapsLockOfMac(event);
      return HANDLED;
    }
    if (isLock) {
      this.#press(event, code);
      return HANDLED;
    }
    if (isCharacter(event.key)) return this.#character(event, code);
    return this.#named(event, code);
  }

  /** macOS tells of Caps Lock that it went down when it comes on, and up when it goes off; some browsers tell both. */
  #turnCapsLockOfMac(event: KeyEvent): void {
    const wanted = event.getModifierState("CapsLock");
    if (this.#locks.has(Led.Caps) === wanted) return;
    this.#locks.pressed(Led.Caps);
    this.#keys.tap("CapsLock");
  }

  #named(event: KeyEvent, code: string): KeyOutcome {
    const byPlace = this.#mode === "positions" && isPcKey(code);
    // The browser composes, and what comes out is typed. With a chord there is nothing to compose.
    if (event.key === "Dead" && !byPlace && !this.#isChord(event)) return LEFT_ALONE;
    if (event.key === "AltGraph" && !byPlace && !this.#layout.hasAltGraph) return HANDLED;
    const place = byPlace ? code : placeOfNamedKey(code, event.key, event.location, event.shiftKey);
    // What a PC keyboard does not have (brightness, power) stays with the person's own machine.
    if (place === undefined) return LEFT_ALONE;
    if (MOMENTARY_KEYS.has(event.key)) {
      if (!event.repeat) this.#keys.tap(place);
      return HANDLED;
    }
    if (code.startsWith("Numpad") && this.#keypadIsOtherwise(event, code)) {
      this.#keys.press(sourceOf(event), event.key);
      return HANDLED;
    }
    this.#press(event, place);
    return HANDLED;
  }

  /** A keypad key that the person's system takes for an arrow, and the guest for a digit. */
  #keypadIsOtherwise(event: KeyEvent, code: string): boolean {
    if (!/^Numpad[0-9]$|^NumpadDecimal$/.test(code) || !isPcKey(event.key)) return false;
    this.#fitLock(Led.Num, "NumLock", false);
    return this.#locks.has(Led.Num) && !this.#has(SHIFTS);
  }

  #character(event: KeyEvent, code: string): KeyOutcome {
    if (this.#mode === "positions" && isPcKey(code)) {
      this.#press(event, code);
      return HANDLED;
    }
    if (this.#isChord(event) && !this.#meansCharacter(event)) {
      this.#chordKey(event, code);
      return HANDLED;
    }
    const character = event.key.normalize("NFC");
    if (code.startsWith("Numpad") && isPcKey(code)) return this.#keypad(event, code, character);
    this.#fitLock(Led.Caps, "CapsLock", event.getModifierState("CapsLock"));
    const caps = this.#locks.has(Led.Caps);
    const shift = this.#has(SHIFTS);
    const altGraph = this.#keys.has("AltRight");
    const chordless = !this.#has([...CONTROLS, ...METAS, "AltLeft"]);
    if (chordless && isPcKey(code) && this.#layout.at(code, shift, altGraph, caps) === character) {
      this.#press(event, code);
      return HANDLED;
    }
    const strokes = this.#layout.strokes(character, caps);
    if (strokes === undefined) {
      if (!event.repeat) this.#options.onImpossible?.([character]);
      return HANDLED;
    }
    const [first, second] = strokes;
    // The same modifiers, only another place: it can be held like any key.
    const sameModifiers = first.shift === shift && first.altGraph === altGraph && chordless;
    if (code !== "" && second === undefined && sameModifiers) this.#press(event, first.code);
    else for (const stroke of strokes) this.#stroke(stroke);
    return HANDLED;
  }

  #keypad(event: KeyEvent, code: string, character: string): KeyOutcome {
    const isDigit = /[0-9]/.test(character) || code === "NumpadDecimal";
    if (isDigit) this.#fitLock(Led.Num, "NumLock", true);
    const typed = code === "NumpadDecimal" ? this.#layout.at(code, true, false) : character;
    const works = !isDigit || (this.#locks.has(Led.Num) !== this.#has(SHIFTS) && typed === character);
    if (works) this.#press(event, code);
    else this.type(character);
    return HANDLED;
  }

  /**
   * With Control, Alt or the system's key: letters mean themselves wherever the two layouts have them (Ctrl+Z undoes on every
   * keyboard), everything else its place.
   */
  #chordKey(event: KeyEvent, code: string): void {
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : undefined;
    const [stroke] = (letter !== undefined && this.#layout.strokes(letter)) || [];
    const [fallback] = this.#layout.strokes(event.key) ?? [];
    const place = stroke !== undefined && !stroke.shift ? stroke.code : isPcKey(code) ? code : fallback?.code;
    if (place === undefined) return this.#options.onImpossible?.([event.key]);
    // The modifiers went down before the focus came, or there is no key for them: the event tells of them all the same.
    const missing = [
      ...(event.ctrlKey && !this.#isAltGraph && !this.#has(CONTROLS) ? ["ControlLeft"] : []),
      ...(event.altKey && !this.#has(["AltLeft", "AltRight"]) ? ["AltLeft"] : []),
      ...(event.metaKey && !this.#has(METAS) ? ["MetaLeft"] : []),
      ...(event.shiftKey && !this.#has(SHIFTS) ? ["ShiftLeft"] : []),
    ];
    if (missing.length > 0 || code === "") this.#keys.with([], missing, () => this.#keys.tap(place));
    else this.#press(event, place);
  }

  #press(event: KeyEvent, place: string): void {
    const isModifier = MODIFIERS.includes(place);
    if (!event.repeat && ledOfKey(place) !== 0) this.#locks.pressed(ledOfKey(place));
    // macOS will not tell that it goes up.
    const isLost = this.#platform === "mac" && this.#has(METAS) && !isModifier;
    if (isLost || (sourceOf(event) === "" && !isModifier)) this.#keys.tap(place);
    else this.#keys.press(sourceOf(event), place);
  }

  // --- text ----------------------------------------------------------------------------------------------------------

  #typeCharacter(character: string): boolean {
    const strokes = this.#layout.strokes(character, this.#locks.has(Led.Caps));
    for (const stroke of strokes ?? []) this.#stroke(stroke);
    return strokes !== undefined;
  }

  #stroke({ code, shift, altGraph }: KeyStroke): void {
    const held = this.#keys.codes.filter((one) => MODIFIERS.includes(one));
    const fits = (one: string) =>
      (shift && SHIFTS.includes(one)) || (altGraph && one === "AltRight" && this.#layout.hasAltGraph);
    const kept = held.filter(fits);
    const added: string[] = [];
    if (altGraph && !kept.includes("AltRight")) {
      // Shift goes down behind AltGr, which would be another key with Shift on some layouts.
      kept.length = 0;
      added.push("AltRight");
    }
    if (shift && !kept.some((one) => SHIFTS.includes(one))) added.push("ShiftLeft");
    this.#keys.with(
      held.filter((one) => !kept.includes(one)),
      added,
      () => this.#keys.tap(code),
    );
  }

  // --- modifiers -----------------------------------------------------------------------------------------------------

  get #platform(): KeyboardPlatform {
    return this.#options.platform?.() ?? "other";
  }

  #has(codes: readonly string[]): boolean {
    return codes.some((code) => this.#keys.has(code));
  }

  #isChord(event: KeyEvent): boolean {
    if (this.#has([...CONTROLS, ...METAS, "AltLeft"])) return true;
    // A right Alt that the browser takes for an Alt: it has not chosen a character.
    if (this.#keys.has("AltRight") && !event.getModifierState("AltGraph") && event.altKey) return true;
    if (event.getModifierState("AltGraph")) return false;
    return event.ctrlKey || event.metaKey || event.altKey;
  }

  /** Control or Alt are down, yet the key means a character: AltGr by Control and Alt on Windows, Option on macOS. */
  #meansCharacter(event: KeyEvent): boolean {
    const { key } = event;
    if (event.metaKey || this.#has(METAS) || /^[a-z0-9 ]$/i.test(key)) return false;
    if (this.#layout.at(codeOf(event), false, false) === key) return false;
    const isAltGraph = event.getModifierState("AltGraph");
    if (this.#platform === "windows") return isAltGraph || (event.ctrlKey && event.altKey);
    if (this.#platform !== "mac") return isAltGraph && !this.#has(CONTROLS);
    // Option types what the guest cannot, too: then it is an Alt.
    return event.altKey && !event.ctrlKey && this.#layout.strokes(key) !== undefined;
  }

  /** Makes a lock of the guest as the person's, before a key that depends on it. */
  #fitLock(led: number, code: string, wanted: boolean): void {
    if (!this.#locks.mustTurn(led, wanted)) return;
    this.#locks.pressed(led);
    this.#keys.tap(code);
  }

  /** True: this left Control waits for what follows, or is not one. */
  #holdControlBack(event: KeyEvent): boolean {
    if (this.#isAltGraph) return true;
    if (event.key !== "Control" || this.#keys.has("ControlLeft")) return false;
    if (this.#control !== undefined || event.repeat) return this.#control !== undefined;
    this.#freeing = false;
    const { setTimer } = this.#options;
    if (setTimer === undefined) return false;
    this.#control = { timer: setTimer(() => this.#controlCounts(), ALT_GRAPH_WAIT_MS) };
    return true;
  }

  /** A right Alt right behind a left Control is AltGr: Windows sends the two for it. */
  #claimAltGraph(event: KeyEvent): boolean {
    if (this.#isAltGraph) return true;
    if (this.#control !== undefined) {
      this.#dropControl();
    } else {
      const late = this.#platform === "windows" && event.key === "AltGraph";
      if (!late || !this.#keys.release("ControlLeft")) return false;
    }
    this.#isAltGraph = true;
    return true;
  }

  #controlCounts(): void {
    if (this.#control === undefined) return;
    this.#dropControl();
    this.#keys.press("ControlLeft", "ControlLeft");
    this.#freeing = this.#isFreeChord();
  }

  #dropControl(): void {
    if (this.#control !== undefined) this.#options.clearTimer?.(this.#control.timer);
    this.#control = undefined;
  }

  /** Control with the left Alt, or both on the right: what AltGr can never look like. */
  #isFreeChord(): boolean {
    const { codes } = this.#keys;
    if (codes.length !== 2 || !this.#has(CONTROLS)) return false;
    if (codes.includes("AltLeft")) return true;
    return codes.includes("ControlRight") && codes.includes("AltRight") && !this.#isNamedAltGraph;
  }

  /** Modifiers that went up while nobody told us: the event knows better. */
  #letGoOfLost(event: KeyEvent, code: string): void {
    const isUp = (name: string): boolean => {
      if (name.startsWith("Shift")) return !event.shiftKey;
      if (name.startsWith("Control")) return !event.ctrlKey;
      if (name.startsWith("Meta")) return !event.metaKey && !event.getModifierState("OS");
      return !event.altKey && !event.getModifierState("AltGraph");
    };
    for (const source of this.#keys.sources) {
      const held = this.#keys.heldBy(source) ?? "";
      if (source !== code && !source.startsWith("page:") && MODIFIERS.includes(held) && isUp(held))
        this.#keys.release(source);
    }
  }

  #releaseAllButModifiers(): void {
    for (const source of this.#keys.sources) {
      if (!MODIFIERS.includes(this.#keys.heldBy(source) ?? "")) this.#keys.release(source);
    }
  }
}

function codeOf(event: KeyEvent): string {
  return event.code === "Unidentified" ? "" : modernCode(event.code);
}

/** What holds a key: its place, or its name where it has none. */
function sourceOf(event: KeyEvent): string {
  const code = codeOf(event);
  if (code !== "") return code;
  return isCharacter(event.key) ? "" : `key:${event.key}:${event.location}`;
}

const isNamed = (event: KeyEvent): boolean => event.key !== "" && event.key !== "Unidentified";

import { GuestKeyboard, KeyboardLayout, keyboardPlatform } from "../../keyboard/index.ts";
import type { KeyboardMode } from "../../keyboard/index.ts";
import type { Host, LocalHand } from "../host-api.ts";
import { PointerInput } from "./pointer-input.ts";
import { SleepWatch } from "./sleep-watch.ts";
import type { Place, TouchTimers } from "./touch-gestures.ts";

const TIMERS: TouchTimers = {
  setTimer: (callback, ms) => setTimeout(callback, ms),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** The system under the browser, asked at each event: browsers that disguise themselves change it late. */
function platformName(): string {
  const { userAgentData, platform } = navigator as Navigator & { userAgentData?: { platform: string } };
  // Where the two disagree, somebody has set the older one on purpose.
  return /^(mac|win)/i.test(platform) ? platform : (userAgentData?.platform ?? platform);
}

export interface ScreenHandsOptions {
  readonly host: Host;
  readonly mode: KeyboardMode;
  /** The guest's pixel under a place of the page. */
  readonly toGuest: (place: Place) => Place;
  /** Number of the display that this screen shows. */
  readonly display?: () => number;
  /** Something could not be typed: a sentence for the person. */
  readonly tell: (words: string) => void;
}

/** Keyboard and pointer of the tab's own screen, on one host. Owner disposes, which lets go of everything. */
export class ScreenHands implements Disposable {
  readonly keyboard: GuestKeyboard;
  readonly pointer: PointerInput;
  readonly #sleep: SleepWatch;

  constructor({ host, mode, toGuest, display = () => 0, tell }: ScreenHandsOptions) {
    this.keyboard = new GuestKeyboard({
      ...TIMERS,
      mode,
      layout: new KeyboardLayout(host.state.keyboard.layout),
      platform: () => keyboardPlatform(platformName()),
      send: (bytes) => host.hand.keys(bytes),
      onImpossible: (characters) => tell(impossibleWords(characters, this.keyboard.layout)),
      onCut: (characters) =>
        tell(`The text is too long to be typed: its last ${characters} characters were left out.`),
    });
    this.pointer = new PointerInput({
      ...TIMERS,
      hand: () => handAt(host.hand, display()),
      mode: () => host.state.pointer,
      toGuest,
      holdShift: (down) => this.keyboard.hold("ShiftLeft", down),
      acts: () => this.keyboard.pointerActs(),
    });
    this.#sleep = new SleepWatch({
      ...TIMERS,
      nowMs: () => Date.now(),
      isPressed: () => this.keyboard.down.length > 0 || this.pointer.buttons !== 0,
      slept: () => this.releaseAll(),
    });
  }

  /** After each event that may have pressed something. */
  pressed(): void {
    this.#sleep.pressed();
  }

  releaseAll(): void {
    this.keyboard.releaseAll();
    this.pointer.releaseAll();
  }

  [Symbol.dispose](): void {
    this.releaseAll();
    this.#sleep[Symbol.dispose]();
  }
}

/** The hand at one of several displays: its positions are in that display's picture. */
function handAt(hand: LocalHand, display: number): LocalHand {
  if (display === 0) return hand;
  return { ...hand, moveTo: (x, y, dz, buttons) => hand.moveTo(x, y, dz, buttons, display) };
}

/** Most characters that one sentence names. */
const NAMED = 8;

/** What cannot be typed, and what to do about it. */
export function impossibleWords(characters: readonly string[], layout: KeyboardLayout): string {
  const names = characters.slice(0, NAMED).map((character) => {
    const point = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `“${character}” (U+${point})`;
  });
  const more = characters.length > NAMED ? ` and ${characters.length - NAMED} more` : "";
  return `Not typed: ${names.join(", ")}${more}. The machine's keyboard, ${layout.title}, has no key for it; another layout may.`;
}

/** What the library reads of a KeyboardEvent; a browser's own object is one. */
export interface KeyEvent {
  readonly code: string;
  readonly key: string;
  /** 1 left, 2 right, 3 keypad. */
  readonly location: number;
  readonly repeat: boolean;
  readonly isComposing: boolean;
  /** 229: an input method has the key. */
  readonly keyCode: number;
  readonly isTrusted: boolean;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  getModifierState(name: string): boolean;
}

/** The system under the browser, as far as its keyboards differ. */
export type KeyboardPlatform = "mac" | "windows" | "other";

/** Out of navigator.platform or navigator.userAgentData.platform. */
export function keyboardPlatform(name: string): KeyboardPlatform {
  if (/^(mac|iphone|ipad|ipod)/i.test(name)) return "mac";
  return /^win/i.test(name) ? "windows" : "other";
}

/** Whether the event means a character, and no key with a name: "a", "€" and "😀" do, "Enter" and "Dead" do not. */
export const isCharacter = (key: string): boolean => key !== "" && [...key.normalize("NFC")].length === 1;

/** keyCode of a key that an input method (or a phone's keyboard) keeps to itself: its text comes as input. */
const KEY_CODE_OF_INPUT_METHOD = 229;

export function isInputMethods(event: KeyEvent): boolean {
  if (event.isComposing || event.keyCode === KEY_CODE_OF_INPUT_METHOD || event.key === "Process") return true;
  return event.code === "" && (event.key === "" || event.key === "Unidentified");
}

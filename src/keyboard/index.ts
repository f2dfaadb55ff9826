/** The key events of a browser as a PC keyboard's scancodes, by the guest's layout. Pure: no DOM, no host; for every page that has a guest's screen. */
export { deadMarks, isDead, spacingAccents } from "./dead-keys.ts";
export { GuestKeyboard } from "./guest-keyboard.ts";
export type { GuestKeyboardOptions, KeyOutcome, KeyboardMode } from "./guest-keyboard.ts";
export { keyboardPlatform } from "./key-event.ts";
export type { KeyEvent, KeyboardPlatform } from "./key-event.ts";
export { DEFAULT_LAYOUT, KeyboardLayout, LAYOUT_NAMES } from "./layout.ts";
export type { KeyStroke } from "./layout.ts";
export { Led } from "./lock-keys.ts";
export { chord, isPcKey, scancodes } from "./scancodes.ts";

/**
 * KeyboardEvent.code (UI Events code values) to PS/2 scancodes of set 1, as the inputs channel and the guest's keyboard
 * take them. Codes name places on the keyboard, so the guest's own layout decides what is typed.
 *
 * Left out on purpose: Power, Sleep and WakeUp, which a person means for the machine before him.
 */

/** Make codes of one byte; break is make | 0x80. */
const PLAIN: Readonly<Record<string, number>> = {
  Escape: 0x01,
  Digit1: 0x02,
  Digit2: 0x03,
  Digit3: 0x04,
  Digit4: 0x05,
  Digit5: 0x06,
  Digit6: 0x07,
  Digit7: 0x08,
  Digit8: 0x09,
  Digit9: 0x0a,
  Digit0: 0x0b,
  Minus: 0x0c,
  Equal: 0x0d,
  Backspace: 0x0e,
  Tab: 0x0f,
  KeyQ: 0x10,
  KeyW: 0x11,
  KeyE: 0x12,
  KeyR: 0x13,
  KeyT: 0x14,
  KeyY: 0x15,
  KeyU: 0x16,
  KeyI: 0x17,
  KeyO: 0x18,
  KeyP: 0x19,
  BracketLeft: 0x1a,
  BracketRight: 0x1b,
  Enter: 0x1c,
  ControlLeft: 0x1d,
  KeyA: 0x1e,
  KeyS: 0x1f,
  KeyD: 0x20,
  KeyF: 0x21,
  KeyG: 0x22,
  KeyH: 0x23,
  KeyJ: 0x24,
  KeyK: 0x25,
  KeyL: 0x26,
  Semicolon: 0x27,
  Quote: 0x28,
  Backquote: 0x29,
  ShiftLeft: 0x2a,
  Backslash: 0x2b,
  KeyZ: 0x2c,
  KeyX: 0x2d,
  KeyC: 0x2e,
  KeyV: 0x2f,
  KeyB: 0x30,
  KeyN: 0x31,
  KeyM: 0x32,
  Comma: 0x33,
  Period: 0x34,
  Slash: 0x35,
  ShiftRight: 0x36,
  NumpadMultiply: 0x37,
  AltLeft: 0x38,
  Space: 0x39,
  CapsLock: 0x3a,
  F1: 0x3b,
  F2: 0x3c,
  F3: 0x3d,
  F4: 0x3e,
  F5: 0x3f,
  F6: 0x40,
  F7: 0x41,
  F8: 0x42,
  F9: 0x43,
  F10: 0x44,
  NumLock: 0x45,
  ScrollLock: 0x46,
  Numpad7: 0x47,
  Numpad8: 0x48,
  Numpad9: 0x49,
  NumpadSubtract: 0x4a,
  Numpad4: 0x4b,
  Numpad5: 0x4c,
  Numpad6: 0x4d,
  NumpadAdd: 0x4e,
  Numpad1: 0x4f,
  Numpad2: 0x50,
  Numpad3: 0x51,
  Numpad0: 0x52,
  NumpadDecimal: 0x53,
  IntlBackslash: 0x56,
  F11: 0x57,
  F12: 0x58,
  NumpadEqual: 0x59,
  // Where Linux looks for these three; it knows no others of their row, whose places are those that Windows uses.
  F13: 0x5d,
  F14: 0x5e,
  F15: 0x5f,
  F16: 0x67,
  F17: 0x68,
  F18: 0x69,
  F19: 0x6a,
  F20: 0x6b,
  F21: 0x6c,
  F22: 0x6d,
  F23: 0x6e,
  KanaMode: 0x70,
  IntlRo: 0x73,
  F24: 0x76,
  Lang4: 0x77,
  Lang3: 0x78,
  Convert: 0x79,
  NonConvert: 0x7b,
  IntlYen: 0x7d,
  NumpadComma: 0x7e,
};

/** Make codes behind the prefix 0xe0. */
const EXTENDED: Readonly<Record<string, number>> = {
  MediaTrackPrevious: 0x10,
  MediaTrackNext: 0x19,
  NumpadEnter: 0x1c,
  ControlRight: 0x1d,
  AudioVolumeMute: 0x20,
  LaunchApp2: 0x21,
  MediaPlayPause: 0x22,
  MediaStop: 0x24,
  AudioVolumeDown: 0x2e,
  AudioVolumeUp: 0x30,
  BrowserHome: 0x32,
  NumpadDivide: 0x35,
  PrintScreen: 0x37,
  AltRight: 0x38,
  Home: 0x47,
  ArrowUp: 0x48,
  PageUp: 0x49,
  ArrowLeft: 0x4b,
  ArrowRight: 0x4d,
  End: 0x4f,
  ArrowDown: 0x50,
  PageDown: 0x51,
  Insert: 0x52,
  Delete: 0x53,
  MetaLeft: 0x5b,
  MetaRight: 0x5c,
  ContextMenu: 0x5d,
  BrowserSearch: 0x65,
  BrowserFavorites: 0x66,
  BrowserRefresh: 0x67,
  BrowserStop: 0x68,
  BrowserForward: 0x69,
  BrowserBack: 0x6a,
  LaunchApp1: 0x6b,
  LaunchMail: 0x6c,
  MediaSelect: 0x6d,
};

/** Keys that send one byte when they go down and none when they go up. */
const MAKE_ONLY: Readonly<Record<string, number>> = { Lang1: 0xf2, Lang2: 0xf1 };

/** Firefox still calls these as they were called before UI Events level 3. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  OSLeft: "MetaLeft",
  OSRight: "MetaRight",
  VolumeMute: "AudioVolumeMute",
  VolumeDown: "AudioVolumeDown",
  VolumeUp: "AudioVolumeUp",
  LaunchMediaPlayer: "MediaSelect",
  MediaPlay: "MediaPlayPause",
  MediaPause: "MediaPlayPause",
};

/** Pause is one sequence for down and up together; with Control it is another key, Break. */
const PAUSE = [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5];
const BREAK = [0xe0, 0x46, 0xe0, 0xc6];
/** PrintScreen while Alt is down: SysRq. */
const SYSRQ = 0x54;

/** Modifiers that are down while a key goes down, as far as they change what that key sends. */
export interface HeldModifiers {
  readonly control?: boolean;
  readonly alt?: boolean;
}

/** The code as UI Events spells it today. */
export const modernCode = (code: string): string => (Object.hasOwn(OLD_NAMES, code) ? OLD_NAMES[code] : code);

/** Whether a PC keyboard has such a key. */
export const isPcKey = (code: string): boolean => pressBytes(code).length > 0;

/** What a key sends when it goes down; nothing for keys that a PC keyboard does not have. */
export function pressBytes(code: string, held: HeldModifiers = {}): readonly number[] {
  if (code === "Pause") return held.control ? BREAK : PAUSE;
  if (code === "PrintScreen" && held.alt) return [SYSRQ];
  if (Object.hasOwn(MAKE_ONLY, code)) return [MAKE_ONLY[code]];
  if (Object.hasOwn(PLAIN, code)) return [PLAIN[code]];
  return Object.hasOwn(EXTENDED, code) ? [0xe0, EXTENDED[code]] : [];
}

/** What the key that sent `press` sends when it goes up. */
export function releaseBytes(press: readonly number[]): readonly number[] {
  const make = press.at(-1) ?? 0x80;
  // Make-only keys and whole sequences have nothing to let go of.
  return (make & 0x80) !== 0 ? [] : [...press.slice(0, -1), make | 0x80];
}

/** The bytes of one key going down or up. */
export function scancodes(code: string, down: boolean): readonly number[] {
  const press = pressBytes(code);
  return down ? press : releaseBytes(press);
}

/** All keys down in order, then up in reverse: a chord like Ctrl+Alt+Delete. */
export function chord(...codes: string[]): readonly number[] {
  return [
    ...codes.flatMap((code) => scancodes(code, true)),
    ...codes.toReversed().flatMap((code) => scancodes(code, false)),
  ];
}

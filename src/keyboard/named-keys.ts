import { isPcKey, modernCode } from "./scancodes.ts";

/** KeyboardEvent.key values that are not the code of their key, by place: left or only one, right. */
const CODES_OF_KEYS: Readonly<Record<string, readonly [string, string?]>> = {
  Shift: ["ShiftLeft", "ShiftRight"],
  Control: ["ControlLeft", "ControlRight"],
  Alt: ["AltLeft", "AltRight"],
  AltGraph: ["AltRight"],
  Meta: ["MetaLeft", "MetaRight"],
  OS: ["MetaLeft", "MetaRight"],
  Super: ["MetaLeft", "MetaRight"],
  Esc: ["Escape"],
  Del: ["Delete"],
  Left: ["ArrowLeft"],
  Right: ["ArrowRight"],
  Up: ["ArrowUp"],
  Down: ["ArrowDown"],
  Apps: ["ContextMenu"],
  Scroll: ["ScrollLock"],
  HangulMode: ["Lang1"],
  HanjaMode: ["Lang2"],
  Hiragana: ["KanaMode"],
  HiraganaKatakana: ["KanaMode"],
  Zenkaku: ["Backquote"],
  Hankaku: ["Backquote"],
  ZenkakuHankaku: ["Backquote"],
  LaunchApplication1: ["LaunchApp1"],
  LaunchMyComputer: ["LaunchApp1"],
  LaunchApplication2: ["LaunchApp2"],
  LaunchCalculator: ["LaunchApp2"],
  LaunchMediaPlayer: ["MediaSelect"],
};

/** Keys that people put elsewhere in their system's settings: there the key's name is meant, not its place. */
const REMAPPED = new Set([
  "Escape",
  "Backspace",
  "Delete",
  "Enter",
  "Tab",
  "Shift",
  "Control",
  "Alt",
  "AltGraph",
  "Meta",
  "CapsLock",
  "ContextMenu",
]);

const RIGHT = 2;
const KEYPAD = 3;

/** The key that has such a name; undefined: a PC keyboard has none. */
export function codeOfKey(key: string, location: number): string | undefined {
  if (location === KEYPAD && key === "Enter") return "NumpadEnter";
  const named = Object.hasOwn(CODES_OF_KEYS, key) ? CODES_OF_KEYS[key] : undefined;
  const code = named === undefined ? modernCode(key) : (location === RIGHT && named[1]) || named[0];
  return isPcKey(code) ? code : undefined;
}

/** The place of a key with a name: where the browser says it is, unless the system has given that place another name. */
export function placeOfNamedKey(
  code: string,
  key: string,
  location: number,
  shift: boolean,
): string | undefined {
  const byName = codeOfKey(key, location);
  if (code === "") return byName;
  if (byName === undefined || byName === code || !REMAPPED.has(key)) return isPcKey(code) ? code : byName;
  // The same key at another place of the same kind: Alt as AltGraph, Meta with Shift on X11, keypad keys without NumLock.
  if (code.startsWith("Numpad") || sameKind(code, byName)) return code;
  if (key === "Meta" && shift && code.startsWith("Alt")) return code;
  return byName;
}

const sameKind = (code: string, other: string): boolean =>
  code.replace(/(Left|Right)$/, "") === other.replace(/(Left|Right)$/, "");

/** Keys of Japanese and Korean keyboards of which browsers tell the going up late, twice or never. */
export const MOMENTARY_KEYS: ReadonlySet<string> = new Set([
  "Alphanumeric",
  "Eisu",
  "HangulMode",
  "Hankaku",
  "HanjaMode",
  "Hiragana",
  "HiraganaKatakana",
  "KanaMode",
  "KanjiMode",
  "Katakana",
  "Romaji",
  "Zenkaku",
  "ZenkakuHankaku",
]);

/**
 * Makes src/keyboard/layouts.json and the guest's Compose file out of Debian's xkb-data: `npx tsx scripts/keyboard-layouts.ts`. By hand, when layouts are added:
 * xkbcomp resolves the symbols (package x11-xkb-utils), X11's keysymdef.h says which character a keysym is (package x11proto-dev).
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deadMarks, spacingAccents } from "../src/keyboard/dead-keys.ts";
import { root } from "./sources.ts";

/** Name, title, XKB layout. Scripts that are not Latin lie beside US English, on AltGr (XKB option grp:switch). */
const LAYOUTS = [
  ["us", "English (US)", "us"],
  ["gb", "English (UK)", "gb"],
  ["de", "German", "de"],
  ["ch", "Swiss German", "ch"],
  ["fr", "French", "fr"],
  ["be", "Belgian", "be"],
  ["nl", "Dutch", "nl"],
  ["es", "Spanish", "es"],
  ["it", "Italian", "it"],
  ["pt", "Portuguese", "pt"],
  ["br", "Portuguese (Brazil)", "br"],
  ["pl", "Polish", "pl"],
  ["cz", "Czech", "cz"],
  ["hu", "Hungarian", "hu"],
  ["se", "Swedish", "se"],
  ["no", "Norwegian", "no"],
  ["dk", "Danish", "dk"],
  ["fi", "Finnish", "fi"],
  ["tr", "Turkish", "tr"],
  ["jp", "Japanese", "jp"],
  ["kr", "Korean", "kr"],
  ["ru", "Russian", "us,ru"],
  ["ua", "Ukrainian", "us,ua"],
  ["gr", "Greek", "us,gr"],
] as const;

/** XKB's names of the keys that type. */
const CODES: Readonly<Record<string, string>> = Object.fromEntries([
  ...row("AE", ["Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7", "Digit8", "Digit9"]),
  ...[..."QWERTYUIOP"].map((letter, i) => [`AD${pad(i + 1)}`, `Key${letter}`]),
  ...[..."ASDFGHJKL"].map((letter, i) => [`AC${pad(i + 1)}`, `Key${letter}`]),
  ...[..."ZXCVBNM"].map((letter, i) => [`AB${pad(i + 1)}`, `Key${letter}`]),
  ["AE10", "Digit0"],
  ["AE11", "Minus"],
  ["AE12", "Equal"],
  ["AE13", "IntlYen"],
  ["AD11", "BracketLeft"],
  ["AD12", "BracketRight"],
  ["AC10", "Semicolon"],
  ["AC11", "Quote"],
  ["TLDE", "Backquote"],
  ["BKSL", "Backslash"],
  ["LSGT", "IntlBackslash"],
  ["AB08", "Comma"],
  ["AB09", "Period"],
  ["AB10", "Slash"],
  ["AB11", "IntlRo"],
  ["SPCE", "Space"],
  ["KPDL", "NumpadDecimal"],
]);

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

function row(prefix: string, codes: readonly string[]): [string, string][] {
  return codes.map((code, i) => [`${prefix}${pad(i + 1)}`, code]);
}

const characters = new Map<string, string>();
for (const [, name, hex] of readFileSync("/usr/include/X11/keysymdef.h", "utf8").matchAll(
  /^#define XK_(\w+)\s+0x[0-9a-f]+\s+\/\*[ (]U\+([0-9A-F]{4,6})/gm,
))
  characters.set(name, String.fromCodePoint(parseInt(hex, 16)));
for (const [name, mark] of Object.entries(deadMarks)) characters.set(`dead_${name}`, mark);
characters.set("KP_Decimal", ".").set("KP_Separator", ",");

/** The character of a keysym; a space where there is none. */
function character(keysym: string): string {
  if (/^U[0-9A-F]{4,6}$/.test(keysym)) return String.fromCodePoint(parseInt(keysym.slice(1), 16));
  return characters.get(keysym) ?? " ";
}

function compile(xkb: string): string {
  const [first, second] = xkb.split(",");
  const symbols = second === undefined ? `pc+${first}` : `pc+${first}+${second}:2`;
  const option = second === undefined ? "" : "+group(switch)";
  const source = `xkb_keymap {
    xkb_keycodes { include "evdev+aliases(qwerty)" }; xkb_types { include "complete" };
    xkb_compat { include "complete" }; xkb_symbols { include "${symbols}+inet(evdev)${option}" }; };`;
  const done = spawnSync("xkbcomp", ["-w0", "-xkb", "-", "-"], { input: source, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`xkbcomp ${xkb}: ${done.stderr}`);
  return done.stdout;
}

function levels(body: string, group: number): string[] {
  const explicit = new RegExp(`symbols\\[Group${group}\\]\\s*=\\s*\\[([^\\]]*)\\]`).exec(body)?.[1];
  const list = explicit ?? (group === 1 ? /\{?\s*\[([^\]]*)\]/.exec(body)?.[1] : undefined) ?? "";
  return list.split(",").map((keysym) => character(keysym.trim()));
}

const result: Record<string, unknown> = {};
for (const [name, title, xkb] of LAYOUTS) {
  const keys: Record<string, string> = {};
  const text = compile(xkb);
  const symbols = text.slice(text.indexOf("xkb_symbols"));
  for (const [, key, body] of symbols.matchAll(/key\s+<(\w+)>\s*\{([\s\S]*?)\};/g)) {
    const code = CODES[key];
    if (code === undefined) continue;
    const first = levels(body, 1);
    const all = xkb.includes(",") ? [...pair(first), ...pair(levels(body, 2))] : first.slice(0, 4);
    const value = all.join("").trimEnd();
    if (value !== "") keys[code] = value;
  }
  result[name] = { title, xkb, keys };
}
writeFileSync(join(root, "src/keyboard/layouts.json"), `${JSON.stringify(result, undefined, 2)}\n`);

function pair(list: readonly string[]): string[] {
  return [list[0] ?? " ", list[1] ?? list[0] ?? " "];
}

/** X's libraries compose accents by this file; Debian's own has 600 kB, which costs every program in the guest seconds. */
const compose = [
  "# Dead keys for Latin and Greek letters, made by scripts/keyboard-layouts.ts. The real one has 600 kB: reading it costs every program seconds.",
];
const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", ..."ΑΕΗΙΟΥΩαεηιουω"];
const keysyms = new Map([...characters].map(([name, character]) => [character, name]));
for (const [name, mark] of Object.entries(deadMarks)) {
  const spaced = { acute: "'", diaeresis: '"' }[name] ?? spacingAccents[mark];
  compose.push(`<dead_${name}> <space> : "${spaced.replace('"', '\\"')}"`);
  compose.push(`<dead_${name}> <dead_${name}> : "${spacingAccents[mark]}"`);
  for (const letter of letters) {
    const composed = (letter + mark).normalize("NFC");
    if ([...composed].length > 1) continue;
    const keysym = /[A-Za-z]/.test(letter) ? letter : keysyms.get(letter);
    compose.push(`<dead_${name}> <${keysym}> : "${composed}"`);
  }
}
writeFileSync(join(root, "guest/overlay/desktop/etc/X11/Compose"), `${compose.join("\n")}\n`);

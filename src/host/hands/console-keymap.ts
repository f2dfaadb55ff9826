import { isDead, scancodes, spacingAccents } from "../../keyboard/index.ts";
import type { KeyboardLayout } from "../../keyboard/index.ts";

/** Linux's types of keymap entries (linux/keyboard.h). */
const KT_LATIN = 0;
const KT_DEAD = 4;
const KT_META = 8;
const KT_LETTER = 11;
/** A key that does nothing. */
const K_HOLE = 0x0200;
/** Accents that Linux's own table composes, in the order of K_DGRAVE and those after it. */
const DEAD = ["\u0300", "\u0301", "\u0302", "\u0303", "\u0308", "\u0327"];

/** Linux's tables, by the modifiers that choose them. */
const Table = { Plain: 0, Shift: 1, AltGr: 2, ShiftAltGr: 3, Control: 4, Alt: 8 } as const;

/** What busybox's dumpkmap writes: magic, a flag for each of 256 tables, and those tables of 128 entries. */
const FLAGS = 7;
const TABLES = FLAGS + 256;
const TABLE_BYTES = 256;
/** The tables in the file that is loaded, in their order: dumpkmap's, and Shift with AltGr, which it leaves out. */
const LOADED: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12];

const entry = (type: number, value: number): number => (type << 8) | value;

/** What a key does that types this; `other` is what it types with Shift, or without. */
function typing(character: string, other: string): number {
  if (character === " ") return K_HOLE;
  const dead = DEAD.indexOf(character);
  if (dead >= 0) return entry(KT_DEAD, dead);
  const code = (isDead(character) ? spacingAccents[character] : character).codePointAt(0) ?? 0;
  // As loadkeys writes what has no eight bits.
  if (code > 0xff) return code ^ 0xf000;
  const isLetter = character !== other && character.toUpperCase() === other.toUpperCase();
  return entry(isLetter ? KT_LETTER : KT_LATIN, code);
}

/** Linux's keycode of a key that types: the scancode, but for two keys of Japan and Brazil. */
function keycode(code: string): number {
  const [scancode] = scancodes(code, true);
  return scancode === 0x73 ? 89 : scancode === 0x7d ? 124 : scancode;
}

/** The entries of a layout by table and keycode, of keys of the main block. */
export function consoleKeymap(layout: KeyboardLayout): Map<number, Map<number, number>> {
  const tables = new Map<number, Map<number, number>>(
    Object.values(Table).map((table) => [table, new Map()]),
  );
  const set = (table: number, key: number, value: number) => tables.get(table)?.set(key, value);
  for (const [code, levels] of layout.levels) {
    if (code.startsWith("Numpad")) continue;
    const key = keycode(code);
    const at = (level: number) => levels[level] ?? " ";
    set(Table.Plain, key, typing(at(0), at(1)));
    set(Table.Shift, key, typing(at(1), at(0)));
    // Without AltGr the right Alt is like the left, which types what the key does plain.
    const third = layout.hasAltGraph ? 2 : 0;
    set(Table.AltGr, key, typing(at(third), at(third + 1)));
    set(Table.ShiftAltGr, key, typing(at(third + 1), at(third)));
    const plain = at(0).codePointAt(0) ?? 0;
    if (/^[a-z]$/.test(at(0))) set(Table.Control, key, entry(KT_LATIN, plain & 0x1f));
    else if (code.startsWith("Key")) set(Table.Control, key, K_HOLE);
    if (plain > 0x20 && plain < 0x7f) set(Table.Alt, key, entry(KT_META, plain));
  }
  return tables;
}

/** Consecutive keys in one piece: where it goes in the file, and its bytes. */
function pieces(table: number, entries: ReadonlyMap<number, number>): { at: number; bytes: number[] }[] {
  const start = TABLES + LOADED.indexOf(table) * TABLE_BYTES;
  const found: { at: number; bytes: number[] }[] = [];
  for (const [key, value] of [...entries].toSorted(([a], [b]) => a - b)) {
    const at = start + 2 * key;
    let piece = found.at(-1);
    if (piece === undefined || piece.at + piece.bytes.length !== at) found.push((piece = { at, bytes: [] }));
    piece.bytes.push(value & 0xff, value >> 8);
  }
  return found;
}

/**
 * Lines for the root shell on the console guest's serial port that load a layout into its kernel: busybox has no more than
 * dumpkmap and loadkmap, so the kernel's own map, kept as it was, is written over where keys type. Each line fits the
 * shell's (1024 characters). Lines that came before the shell was there are lost: the last one loads only if all did come.
 * Left behind are `$n`, and the name of the layout in `named`.
 */
export function loadKeymapLines(layout: KeyboardLayout, named: string): string[] {
  const [own, made] = ["/run/keymap.own", "/run/keymap"];
  const before = TABLES + Table.ShiftAltGr * TABLE_BYTES;
  const shift = TABLES + Table.Shift * TABLE_BYTES;
  const flag = FLAGS + Table.ShiftAltGr;
  const cut = (from: number, count: number) => `tail -c +${from + 1} ${own} | head -c ${count}`;
  const tables = [...consoleKeymap(layout)];
  return [
    `[ -s ${own} ] || dumpkmap >${own}; n=0;` +
      ` { head -c ${flag} ${own}; printf '\\001'; ${cut(flag + 1, before - flag - 1)}; ${cut(shift, TABLE_BYTES)}; tail -c +${before + 1} ${own}; } >${made}`,
    `w() { echo $2 | base64 -d | dd of=${made} bs=1 seek=$1 conv=notrunc 2>/dev/null; }`,
    ...tables.map(([table, entries]) => {
      const writes = pieces(table, entries).map(
        ({ at, bytes }) => `w ${at} ${btoa(String.fromCharCode(...bytes))}`,
      );
      return `${writes.join("; ")}; n=$((n+1))`;
    }),
    `[ "$n" = ${tables.length} ] && loadkmap <${made} && echo ${layout.name} >${named}; n=`,
  ];
}

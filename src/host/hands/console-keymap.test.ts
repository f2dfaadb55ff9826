import { describe, expect, test } from "vitest";
import { KeyboardLayout, LAYOUT_NAMES } from "../../keyboard/index.ts";
import { consoleKeymap, loadKeymapLines } from "./console-keymap.ts";

/** Linux's keycodes, and the tables of its modifiers. */
const KEY = { 2: 3, E: 18, Y: 21, Z: 44, Q: 16, Equal: 13, Semicolon: 39, Quote: 40 } as const;
const [PLAIN, SHIFT, ALT_GR, SHIFT_ALT_GR, CONTROL, ALT] = [0, 1, 2, 3, 4, 8];

const entryOf = (name: string, table: number, key: number) =>
  consoleKeymap(new KeyboardLayout(name)).get(table)?.get(key);

describe("entries are as loadkeys makes them", () => {
  test.each([
    ["letters, for Caps Lock", "de", PLAIN, KEY.Y, 0x0b7a],
    ["capitals", "de", SHIFT, KEY.Z, 0x0b59],
    ["letters of Latin-1", "de", PLAIN, KEY.Quote, 0x0be4],
    ["other characters", "de", ALT_GR, KEY.Q, 0x0040],
    ["characters beyond Latin-1", "de", ALT_GR, KEY.E, 0x20ac ^ 0xf000],
    ["dead keys", "de", PLAIN, KEY.Equal, 0x0401],
    ["Control, by letter", "de", CONTROL, KEY.Y, 0x001a],
    ["Alt, by character", "de", ALT, KEY.Y, 0x087a],
    ["the second script of a layout on AltGr", "ru", ALT_GR, KEY.Q, 0x0439 ^ 0xf000],
    ["its capitals", "ru", SHIFT_ALT_GR, KEY.Q, 0x0419 ^ 0xf000],
    ["without AltGr, what the key types plain", "us", ALT_GR, KEY[2], 0x0032],
  ])("%s", (_what, name, table, key, expected) => {
    expect(entryOf(name, table, key)).toBe(expected);
  });

  test("a key that has no letter any more has none with Control", () => {
    const french = consoleKeymap(new KeyboardLayout("fr"));
    expect(french.get(CONTROL)?.get(KEY.Semicolon)).toBe(0x000d);
    expect(french.get(CONTROL)?.get(50)).toBe(0x0200);
  });
});

test.each(LAYOUT_NAMES)("%s: every line fits the shell's, with what stands around it", (name) => {
  for (const line of loadKeymapLines(new KeyboardLayout(name), "/run/spicetab.keyboard")) {
    expect(line.length).toBeLessThan(960);
    expect(line).not.toMatch(/[^\x20-\x7e]/);
  }
});

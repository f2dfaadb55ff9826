import { expect, test } from "vitest";
import { AttentionChord } from "./attention-chord.ts";
import { fontOfVgaBios, noticeScreen } from "../vga/notice-screen.ts";

test.each([
  ["left keys", [0x1d, 0x38, 0x53]],
  ["right keys", [0xe0, 0x1d, 0xe0, 0x38, 0xe0, 0x53]],
  ["a key let go between", [0x1d, 0x2a, 0xaa, 0x38, 0xe0, 0x53]],
])("Ctrl+Alt+Del is found: %s", (_name, bytes) => {
  expect(new AttentionChord().push(bytes)).toBe(true);
  const split = new AttentionChord();
  expect(bytes.map((byte) => split.push([byte])).filter(Boolean).length).toBe(1);
});

test.each([
  ["without Alt", [0x1d, 0x53]],
  ["Alt let go", [0x1d, 0x38, 0xb8, 0x53]],
  ["Del let go only", [0x1d, 0x38, 0xd3]],
  ["another key", [0x1d, 0x38, 0x1e]],
])("it is not found: %s", (_name, bytes) => {
  expect(new AttentionChord().push(bytes)).toBe(false);
});

test("a notice is drawn in the VGA BIOS's own letters, and blank without them", () => {
  const font = new Uint8Array(256 * 16);
  font.set([0, 0, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e, 0, 0, 0, 0], 16);
  font.fill(0xff, 0x41 * 16, 0x42 * 16);
  const bios = new Uint8Array(0x8000);
  bios.set(font, 0x1234);
  expect(fontOfVgaBios(bios).subarray(0x41 * 32, 0x41 * 32 + 16)).toEqual(new Uint8Array(16).fill(0xff));
  const screen = noticeScreen(bios, ["A"]);
  const pixels = new Uint32Array(screen.width * screen.height);
  screen.render(pixels);
  expect(screen.text()[12].trim()).toBe("A");
  expect(pixels.filter((pixel) => pixel !== 0).length).toBe(8 * 16);
  expect(fontOfVgaBios(new Uint8Array(100)).some((byte) => byte !== 0)).toBe(false);
});

/** A text screen with a few lines in its middle, for when the guest shows nothing: in the letters of the machine's own VGA BIOS. */
import { TextScreen } from "./text-renderer.ts";

const COLUMNS = 80;
const ROWS = 25;
const CELL = { height: 16, width9px: true, widthDouble: false, copy8thColumn: true } as const;
/** Bytes between two characters in VGA's plane 2, which holds eight fonts. */
const PLANE_STRIDE_BYTES = 32;
const FONT_CHARACTERS = 256;
const FONTS = 8;

const BLACK = 0x000000;
const GREY = 0xaaaaaa;
const WHITE = 0xffffff;

/** Character 1 (a face) of the PC's 8x16 font: the font's table begins one character, which is empty, before it. */
const SECOND_CHARACTER = Uint8Array.of(
  0,
  0,
  0x7e,
  0x81,
  0xa5,
  0x81,
  0x81,
  0xbd,
  0x99,
  0x81,
  0x81,
  0x7e,
  0,
  0,
  0,
  0,
);

/** The 8x16 font inside a VGA BIOS as plane 2 holds it; all blank if the BIOS has none. */
export const fontOfVgaBios = (vgaBios: Uint8Array): Uint8Array => {
  const plane = new Uint8Array(FONTS * FONT_CHARACTERS * PLANE_STRIDE_BYTES);
  const starts = (at: number) => SECOND_CHARACTER.every((byte, offset) => vgaBios[at + offset] === byte);
  let at = CELL.height;
  while (at < vgaBios.length && !starts(at)) at++;
  const font = vgaBios.subarray(at - CELL.height, at + (FONT_CHARACTERS - 1) * CELL.height);
  for (let character = 0; character < font.length / CELL.height; character++) {
    const glyph = font.subarray(character * CELL.height, (character + 1) * CELL.height);
    plane.set(glyph, character * PLANE_STRIDE_BYTES);
  }
  return plane;
};

/** The first line is the title. */
export const noticeScreen = (vgaBios: Uint8Array, lines: readonly string[]): TextScreen => {
  const screen = new TextScreen();
  screen.setFont(CELL, fontOfVgaBios(vgaBios), true);
  screen.setSize(COLUMNS, ROWS);
  const top = Math.floor((ROWS - lines.length) / 2);
  for (let row = 0; row < ROWS; row++) {
    const line = lines[row - top] ?? "";
    const left = Math.floor((COLUMNS - line.length) / 2);
    const color = row === top ? WHITE : GREY;
    for (let column = 0; column < COLUMNS; column++) {
      const character = line.charCodeAt(column - left);
      screen.putCharacter(row, column, Number.isNaN(character) ? 0x20 : character, 0, BLACK, color);
    }
  }
  return screen;
};

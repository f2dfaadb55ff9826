/**
 * The VGA text screen as pixels: cells, the fonts of plane 2, the cursor. Blinking cells and the cursor are shown
 * steadily, so that a picture at rest is the same for everybody.
 *
 * Pixels are 32 bit 0x00RRGGBB (on the wire little-endian B, G, R, X).
 */
import type { Rect } from "../../protocol/red-command.ts";

/** Flag bits of a cell, as v86 passes them to put_char once the adapter names them. */
export const CellFlag = { blinking: 1, fontPageB: 2 } as const;

/** Bytes between two characters of a font in plane 2, and characters in a font. */
const FONT_BYTES_PER_CHARACTER = 32;
const FONT_CHARACTERS = 256;
/** Characters whose 8th column is repeated as the 9th: the line drawing ones. */
const LINE_FIRST = 0xc0;
const LINE_LAST = 0xdf;

/** How wide and high the cells are, as set by VGA's sequencer and CRTC. */
export interface CellShape {
  /** Scan lines of a cell, 1 to 32. */
  readonly height: number;
  readonly width9px: boolean;
  readonly widthDouble: boolean;
  /** Attribute controller: repeat the 8th column of line drawing characters. */
  readonly copy8thColumn: boolean;
}

const DEFAULT_SHAPE: CellShape = { height: 16, width9px: true, widthDouble: false, copy8thColumn: true };

/** A text screen: put cells in, take changed rectangles of pixels out. */
export class TextScreen {
  columns = 0;
  rows = 0;
  #shape = DEFAULT_SHAPE;
  /** Plane 2: eight fonts of 8 KiB. */
  #fonts = new Uint8Array(8 * FONT_CHARACTERS * FONT_BYTES_PER_CHARACTER);
  #pageA = 0;
  #pageB = 0;
  #characters = new Uint8Array(0);
  #flags = new Uint8Array(0);
  #backgrounds = new Uint32Array(0);
  #foregrounds = new Uint32Array(0);
  #dirty = new Uint8Array(0);
  #cursor = { row: 0, column: 0, start: 0, end: 0, enabled: false };

  get cellWidth(): number {
    if (this.#shape.widthDouble) return 16;
    return this.#shape.width9px ? 9 : 8;
  }

  get cellHeight(): number {
    return this.#shape.height;
  }

  get width(): number {
    return this.columns * this.cellWidth;
  }

  get height(): number {
    return this.rows * this.cellHeight;
  }

  /** Makes the screen `columns` x `rows` cells, all blank; nothing happens when it already is. */
  setSize(columns: number, rows: number): void {
    if (columns === this.columns && rows === this.rows) return;
    const cells = columns * rows;
    this.columns = columns;
    this.rows = rows;
    this.#characters = new Uint8Array(cells);
    this.#flags = new Uint8Array(cells);
    this.#backgrounds = new Uint32Array(cells);
    this.#foregrounds = new Uint32Array(cells);
    this.#dirty = new Uint8Array(cells).fill(1);
  }

  /** Takes over cell shape and, when `changed`, the fonts (64 KiB, copied). */
  setFont(shape: CellShape, fonts: Uint8Array, changed: boolean): void {
    const same =
      shape.height === this.#shape.height &&
      shape.width9px === this.#shape.width9px &&
      shape.widthDouble === this.#shape.widthDouble &&
      shape.copy8thColumn === this.#shape.copy8thColumn;
    if (same && !changed) return;
    this.#shape = shape;
    this.#fonts.set(fonts.subarray(0, this.#fonts.length));
    this.invalidate();
  }

  /** Which of the eight fonts (in the order of plane 2) cells without and with {@link CellFlag.fontPageB} use. */
  setFontPages(pageA: number, pageB: number): void {
    if (pageA === this.#pageA && pageB === this.#pageB) return;
    this.#pageA = pageA;
    this.#pageB = pageB;
    this.invalidate();
  }

  putCharacter(
    row: number,
    column: number,
    character: number,
    flags: number,
    background: number,
    foreground: number,
  ): void {
    if (row >= this.rows || column >= this.columns) return;
    const cell = row * this.columns + column;
    if (
      this.#characters[cell] === character &&
      this.#flags[cell] === flags &&
      this.#backgrounds[cell] === background &&
      this.#foregrounds[cell] === foreground
    ) {
      return;
    }
    this.#characters[cell] = character;
    this.#flags[cell] = flags;
    this.#backgrounds[cell] = background;
    this.#foregrounds[cell] = foreground;
    this.#dirty[cell] = 1;
  }

  moveCursor(row: number, column: number): void {
    if (this.#cursor.row === row && this.#cursor.column === column) return;
    this.#touchCursor();
    this.#cursor.row = row;
    this.#cursor.column = column;
    this.#touchCursor();
  }

  /** Scan lines `start` to `end` (inclusive) of the cell show the cursor. */
  shapeCursor(start: number, end: number, enabled: boolean): void {
    const cursor = this.#cursor;
    if (cursor.start === start && cursor.end === end && cursor.enabled === enabled) return;
    Object.assign(cursor, { start, end, enabled });
    this.#touchCursor();
  }

  /** Everything is to be drawn again. */
  invalidate(): void {
    this.#dirty.fill(1);
  }

  /** Text of the screen, for tests and for people who read it: one string a row, code page 437 as Latin-1. */
  text(): string[] {
    return Array.from({ length: this.rows }, (_, row) =>
      String.fromCharCode(...this.#characters.subarray(row * this.columns, (row + 1) * this.columns)),
    );
  }

  /**
   * Draws the changed cells into `target` (`width` * `height` pixels) and returns their rectangles: one a row, equal
   * neighbours joined.
   */
  render(target: Uint32Array): Rect[] {
    const rectangles: Rect[] = [];
    for (let row = 0; row < this.rows; row++) {
      const first = row * this.columns;
      const dirty = this.#dirty.subarray(first, first + this.columns);
      const left = dirty.indexOf(1);
      if (left < 0) continue;
      const right = dirty.lastIndexOf(1) + 1;
      for (let column = left; column < right; column++) {
        if (dirty[column]) this.#drawCell(target, row, column);
      }
      dirty.fill(0);
      const rectangle = {
        top: row * this.cellHeight,
        left: left * this.cellWidth,
        bottom: (row + 1) * this.cellHeight,
        right: right * this.cellWidth,
      };
      const above = rectangles.at(-1);
      if (
        above &&
        above.bottom === rectangle.top &&
        above.left === rectangle.left &&
        above.right === rectangle.right
      ) {
        above.bottom = rectangle.bottom;
      } else {
        rectangles.push(rectangle);
      }
    }
    return rectangles;
  }

  #touchCursor(): void {
    const { row, column } = this.#cursor;
    if (row < this.rows && column < this.columns) this.#dirty[row * this.columns + column] = 1;
  }

  #drawCell(target: Uint32Array, row: number, column: number): void {
    const cell = row * this.columns + column;
    const character = this.#characters[cell];
    const background = this.#backgrounds[cell];
    const foreground = this.#foregrounds[cell];
    const page = this.#flags[cell] & CellFlag.fontPageB ? this.#pageB : this.#pageA;
    const glyph = (page * FONT_CHARACTERS + character) * FONT_BYTES_PER_CHARACTER;
    const { copy8thColumn, widthDouble } = this.#shape;
    const repeat8th = copy8thColumn && character >= LINE_FIRST && character <= LINE_LAST;
    const { cellWidth, cellHeight, width } = this;
    const cursor = this.#cursor;
    const cursorHere = cursor.enabled && cursor.row === row && cursor.column === column;
    let pixel = row * cellHeight * width + column * cellWidth;
    for (let line = 0; line < cellHeight; line++, pixel += width) {
      if (cursorHere && line >= cursor.start && line <= cursor.end) {
        target.fill(foreground, pixel, pixel + cellWidth);
        continue;
      }
      const bits = this.#fonts[glyph + line];
      for (let x = 0; x < cellWidth; x++) {
        let bit: number;
        if (widthDouble) bit = bits & (0x80 >> (x >> 1));
        else if (x < 8) bit = bits & (0x80 >> x);
        else bit = repeat8th ? bits & 1 : 0;
        target[pixel + x] = bit ? foreground : background;
      }
    }
  }
}

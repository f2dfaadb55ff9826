/** What is on the screen now, as 32 bit pixels, and what of it changed: the difference becomes drawing commands. */
import type { Rect } from "../../protocol/red-command.ts";
import { SCANOUT_BAND_ROWS } from "../limits.ts";

/** Fills `row` with the pixels (0x00RRGGBB) of line `y`. */
export type RowReader = (y: number, row: Uint32Array) => void;

/** A frame of `width` x `height` pixels 0x00RRGGBB, top-down, no padding. */
export class ScreenFrame {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array<ArrayBuffer>;
  readonly #row: Uint32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
    this.#row = new Uint32Array(width);
  }

  /** Takes over the picture that `read` gives and returns the changed rectangles, one per band of rows, joined where equal. */
  update(read: RowReader): Rect[] {
    const rectangles: Rect[] = [];
    for (let top = 0; top < this.height; top += SCANOUT_BAND_ROWS) {
      const bottom = Math.min(top + SCANOUT_BAND_ROWS, this.height);
      const changed = this.#updateBand(read, top, bottom);
      if (!changed) continue;
      const above = rectangles.at(-1);
      if (
        above &&
        above.bottom === changed.top &&
        above.left === changed.left &&
        above.right === changed.right
      ) {
        above.bottom = changed.bottom;
      } else {
        rectangles.push(changed);
      }
    }
    return rectangles;
  }

  /** Bytes B, G, R, 0 of a rectangle, rows packed. */
  bytes({ top, left, bottom, right }: Rect): Uint8Array<ArrayBuffer> {
    const width = right - left;
    const copy = new Uint32Array(width * (bottom - top));
    for (let y = top; y < bottom; y++) {
      const start = y * this.width + left;
      copy.set(this.pixels.subarray(start, start + width), (y - top) * width);
    }
    return new Uint8Array(copy.buffer);
  }

  #updateBand(read: RowReader, top: number, bottom: number): Rect | undefined {
    const { width, pixels } = this;
    const row = this.#row;
    let first = -1;
    let last = -1;
    let left = width;
    let right = 0;
    for (let y = top; y < bottom; y++) {
      read(y, row);
      const start = y * width;
      let x = 0;
      while (x < width && pixels[start + x] === row[x]) x++;
      if (x === width) continue;
      let end = width;
      while (pixels[start + end - 1] === row[end - 1]) end--;
      pixels.set(row.subarray(x, end), start + x);
      if (first < 0) first = y;
      last = y;
      if (x < left) left = x;
      if (end > right) right = end;
    }
    return first < 0 ? undefined : { top: first, left, bottom: last + 1, right };
  }
}

import type { RedBrush } from "../protocol/red-command.ts";
import type { DrawContext } from "./draw-context.ts";
import { forEachRun, scratchRow } from "./draw-context.ts";
import { openImage } from "./image.ts";
import type { ImageReader } from "./image.ts";
import { Rop, applyRop } from "./rop.ts";
import type { RasterSurface } from "./surface.ts";
import { pixelBytes, readRow, surfaceWords, wordIndex, writeRow } from "./surface.ts";

/** Fills with one raw pixel value. */
export function fillSolid(context: DrawContext, color: number): void {
  const { target, region, mask } = context;
  const words = surfaceWords(target);
  const bytes = pixelBytes(target);
  if (mask !== undefined || bytes === 0 || (words === undefined && !isUniform(color, bytes))) {
    fillRows(context, color);
    return;
  }
  const { boxes } = region;
  for (let i = 0; i < boxes.length; i += 4) {
    const left = boxes[i];
    const width = boxes[i + 2] - left;
    for (let y = boxes[i + 1]; y < boxes[i + 3]; y++) {
      if (words !== undefined) {
        const start = wordIndex(target, left, y);
        words.fill(color, start, start + width);
      } else {
        const start = target.offset + y * target.stride + left * bytes;
        target.bytes.fill(color, start, start + width * bytes);
      }
    }
  }
}

/** Whether all bytes of the pixel are the same. */
function isUniform(color: number, bytes: number): boolean {
  for (let i = 1; i < bytes; i++) if (((color >>> (8 * i)) & 255) !== (color & 255)) return false;
  return true;
}

function fillRows(context: DrawContext, color: number): void {
  const { target } = context;
  const row = scratchRow(0, target.width).fill(color, 0, target.width);
  forEachRun(context, (x, y, count) => writeRow(target, x, y, count, row));
}

/** Fills with one raw pixel value through a rop. */
export function fillSolidRop(context: DrawContext, color: number, rop: Rop): void {
  if (rop === Rop.COPY) fillSolid(context, color);
  else drawRows(context, rop, (_x, _y, count, out) => out.fill(color, 0, count));
}

/** Draws a brush: its pixels are the rop's source. Brush "none" counts as black, for rops that only invert. */
export function drawBrush(context: DrawContext, brush: RedBrush, rop: Rop): void {
  if (rop === Rop.NOOP) return;
  switch (brush.type) {
    case "solid":
      fillSolidRop(context, brush.color, rop);
      return;
    case "none":
      fillSolidRop(context, 0, rop);
      return;
    case "pattern": {
      const tile = openImage(brush.image, context.target, context.source);
      if (tile === undefined) return;
      const read = tileReader(tile, brush.pos.x, brush.pos.y);
      drawRows(context, rop, read);
    }
  }
}

/** Reads rows of the plane tiled with `tile`, one of whose corners lies at (originX, originY). */
export function tileReader(tile: ImageReader, originX: number, originY: number): RowReader {
  const { width, height } = tile;
  const row = new Uint32Array(width);
  let rowOf = -1;
  return (x, y, count, out) => {
    const tileY = modulo(y - originY, height);
    if (tileY !== rowOf) tile.read(0, tileY, width, row);
    rowOf = tileY;
    for (let i = 0, tileX = modulo(x - originX, width); i < count; i++) {
      out[i] = row[tileX];
      if (++tileX === width) tileX = 0;
    }
  };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Gives the raw source pixels for the target pixels (x .. x + count, y). */
export type RowReader = (x: number, y: number, count: number, out: Uint32Array) => void;

/** Draws source rows through a rop. */
export function drawRows(context: DrawContext, rop: Rop, read: RowReader): void {
  const { target } = context;
  const row = scratchRow(0, target.width);
  if (rop === Rop.COPY) {
    forEachRun(context, (x, y, count) => {
      read(x, y, count, row);
      writeRow(target, x, y, count, row);
    });
    return;
  }
  const dest = scratchRow(1, target.width);
  forEachRun(context, (x, y, count) => {
    read(x, y, count, row);
    readRow(target, x, y, count, dest);
    applyRop(rop, row, dest, count);
    writeRow(target, x, y, count, row);
  });
}

/** All bits set, in any format. */
export const WHITE = 0xffff_ffff;

/** Whether two surfaces hold the same kind of pixels in whole bytes, so that rows can be moved as bytes. */
export function movesAsBytes(a: RasterSurface, b: RasterSurface): boolean {
  return pixelBytes(a) !== 0 && pixelBytes(a) === pixelBytes(b);
}

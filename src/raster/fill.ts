import type { RedBrush } from "../protocol/red-command.ts";
import { ROP_COST, TILE_COST, WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { painter, scratchRow } from "./draw-context.ts";
import { openImage } from "./image.ts";
import type { ImageReader } from "./image.ts";
import type { Painter } from "./painter.ts";
import { forEachRun } from "./painter.ts";
import { Rop, applyRop } from "./rop.ts";
import type { RasterSurface } from "./surface.ts";
import { pixelBytes, readRow, surfaceWords, wordIndex, writeRow } from "./surface.ts";

/** Pixels up to which a run is filled in a loop. */
const SHORT_RUN = 16;

/** Gives the raw source pixels for the target pixels (x .. x + count, y). */
export type ReadPixels = (x: number, y: number, count: number, out: Uint32Array) => void;

/** Raw source pixels for target pixels, and what they cost. */
export interface RowReader {
  readonly pixelCost: number;
  readonly rowCost: number;
  readonly read: ReadPixels;
}

/** Fills with one raw pixel value. */
export function fillSolid(context: DrawContext, color: number): Painter {
  const { target, mask } = context;
  const bytes = pixelBytes(target);
  const aligned = surfaceWords(target) !== undefined;
  if (mask !== undefined || bytes === 0 || (!aligned && !isUniform(color, bytes))) {
    return fillRows(context, color);
  }
  return painter(context, WRITE_COST, 0, (boxes, first, last, top, bottom) => {
    // Asked for each time: the memory may have grown since.
    const words = surfaceWords(target);
    const origin = wordIndex(target, 0, 0);
    const rowWords = target.stride >> 2;
    for (let i = first; i < last; i += 4) {
      const left = boxes[i];
      const width = boxes[i + 2] - left;
      for (let y = top; y < bottom; y++) {
        if (words !== undefined) {
          const start = origin + y * rowWords + left;
          // A call for a handful of pixels costs more than they do.
          if (width > SHORT_RUN) words.fill(color, start, start + width);
          else for (let at = start; at < start + width; at++) words[at] = color;
        } else {
          const start = target.offset + y * target.stride + left * bytes;
          target.bytes.fill(color, start, start + width * bytes);
        }
      }
    }
  });
}

/** Whether all bytes of the pixel are the same. */
function isUniform(color: number, bytes: number): boolean {
  for (let i = 1; i < bytes; i++) if (((color >>> (8 * i)) & 255) !== (color & 255)) return false;
  return true;
}

function fillRows(context: DrawContext, color: number): Painter {
  const { target, mask } = context;
  const { left, right } = context.area.bounds;
  return painter(context, 2 * WRITE_COST, 0, (...band) => {
    const row = scratchRow(0, target.width).fill(color, 0, right - left);
    forEachRun(mask, ...band, (x, y, count) => writeRow(target, x, y, count, row));
  });
}

/** Fills with one raw pixel value through a rop. */
export function fillSolidRop(context: DrawContext, color: number, rop: Rop): Painter {
  if (rop === Rop.COPY) return fillSolid(context, color);
  return paintRows(context, rop, solidReader(color));
}

/** Reads one colour everywhere. */
export function solidReader(color: number): RowReader {
  return { pixelCost: WRITE_COST, rowCost: 0, read: (_x, _y, count, out) => out.fill(color, 0, count) };
}

/** Draws a brush: its pixels are the rop's source. Brush "none" counts as black, for rops that only invert. */
export function drawBrush(context: DrawContext, brush: RedBrush, rop: Rop): Painter | undefined {
  if (rop === Rop.NOOP) return undefined;
  switch (brush.type) {
    case "solid":
      return fillSolidRop(context, brush.color, rop);
    case "none":
      return fillSolidRop(context, 0, rop);
    case "pattern": {
      const tile = openImage(brush.image, context.target, context.source);
      if (tile === undefined) return undefined;
      return paintRows(context, rop, tileReader(tile, brush.pos.x, brush.pos.y));
    }
  }
}

/** Reads rows of the plane tiled with `tile`, one of whose corners lies at (originX, originY). */
export function tileReader(tile: ImageReader, originX: number, originY: number): RowReader {
  const { width, height } = tile;
  const row = new Uint32Array(width);
  let rowOf = -1;
  return {
    pixelCost: TILE_COST,
    rowCost: width * tile.pixelCost + tile.rowCost,
    read(x, y, count, out) {
      const tileY = modulo(y - originY, height);
      if (tileY !== rowOf) tile.read(0, tileY, width, row);
      rowOf = tileY;
      for (let i = 0, tileX = modulo(x - originX, width); i < count; i++) {
        out[i] = row[tileX];
        if (++tileX === width) tileX = 0;
      }
    },
  };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Draws source rows through a rop. */
export function paintRows(context: DrawContext, rop: Rop, { pixelCost, rowCost, read }: RowReader): Painter {
  const { target, mask } = context;
  const row = scratchRow(0, target.width);
  if (rop === Rop.COPY) {
    return painter(context, pixelCost + WRITE_COST, rowCost, (...band) => {
      forEachRun(mask, ...band, (x, y, count) => {
        read(x, y, count, row);
        writeRow(target, x, y, count, row);
      });
    });
  }
  const dest = scratchRow(1, target.width);
  return painter(context, pixelCost + WRITE_COST + ROP_COST, rowCost, (...band) => {
    forEachRun(mask, ...band, (x, y, count) => {
      read(x, y, count, row);
      readRow(target, x, y, count, dest);
      applyRop(rop, row, dest, count);
      writeRow(target, x, y, count, row);
    });
  });
}

/** All bits set, in any format. */
export const WHITE = 0xffff_ffff;

/** Whether two surfaces hold the same kind of pixels in whole bytes, so that rows can be moved as bytes. */
export function movesAsBytes(a: RasterSurface, b: RasterSurface): boolean {
  return pixelBytes(a) !== 0 && pixelBytes(a) === pixelBytes(b);
}

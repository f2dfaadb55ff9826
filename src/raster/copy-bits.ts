import type { Point } from "../protocol/red-command.ts";
import { READ_COST, WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, painter, scratchRow } from "./draw-context.ts";
import type { Painter } from "./painter.ts";
import { forEachRun } from "./painter.ts";
import type { RasterSurface } from "./surface.ts";
import { pixelBytes, readRow, writeRow } from "./surface.ts";

/**
 * COPY_BITS: moves pixels within the surface as if all were read before the first is written. Rows go in an order in which none is
 * written before it was read: against the direction of the move, within a row by x.
 * @param before the surface as it was, where pixels are no whole bytes
 */
export function drawCopyBits(context: DrawContext, src: Point, before?: RasterSurface): Painter | undefined {
  const { target, bbox } = context;
  const dx = bbox.left - src.x;
  const dy = bbox.top - src.y;
  if (dx === 0 && dy === 0) return undefined;
  const within = narrowed(context, {
    top: dy,
    left: dx,
    bottom: dy + target.height,
    right: dx + target.width,
  });
  if (within === undefined) return undefined;
  return before === undefined ? moveRows(within, dx, dy) : copyFrom(before, within, dx, dy);
}

function moveRows(context: DrawContext, dx: number, dy: number): Painter {
  const { target } = context;
  const pixel = pixelBytes(target);
  const paint: Painter["paint"] = (boxes, first, last, top, bottom) => {
    const { bytes, offset, stride } = target;
    const height = bottom - top;
    const step = dx > 0 ? -4 : 4;
    for (let row = 0; row < height; row++) {
      const y = dy > 0 ? bottom - 1 - row : top + row;
      for (let i = dx > 0 ? last - 4 : first; i >= first && i < last; i += step) {
        const left = boxes[i];
        const from = offset + (y - dy) * stride + (left - dx) * pixel;
        bytes.copyWithin(offset + y * stride + left * pixel, from, from + (boxes[i + 2] - left) * pixel);
      }
    }
  };
  return { ...painter(context, READ_COST + WRITE_COST, 0, paint), upwards: dy > 0 };
}

function copyFrom(before: RasterSurface, context: DrawContext, dx: number, dy: number): Painter {
  const { target, mask } = context;
  const row = scratchRow(0, target.width);
  return painter(context, READ_COST + WRITE_COST, 0, (...band) => {
    forEachRun(mask, ...band, (x, y, count) => {
      readRow(before, x - dx, y - dy, count, row);
      writeRow(target, x, y, count, row);
    });
  });
}

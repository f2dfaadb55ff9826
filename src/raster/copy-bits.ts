import type { Point } from "../protocol/red-command.ts";
import type { DrawContext } from "./draw-context.ts";
import { forEachRun, narrowed, scratchRow } from "./draw-context.ts";
import { pixelBytes, readRow, snapshotRows, writeRow } from "./surface.ts";

/** COPY_BITS: moves pixels within the surface as if all were read before the first is written. */
export function drawCopyBits(context: DrawContext, src: Point): void {
  const { target, bbox } = context;
  const dx = bbox.left - src.x;
  const dy = bbox.top - src.y;
  if (dx === 0 && dy === 0) return;
  const within = narrowed(context, {
    top: dy,
    left: dx,
    bottom: dy + target.height,
    right: dx + target.width,
  });
  if (within === undefined) return;
  if (pixelBytes(target) === 0) copyThroughSnapshot(within, dx, dy);
  else moveBoxes(within, dx, dy);
}

/**
 * Boxes in an order in which none is written before it was read: against the direction of the move, by bands first, within a
 * band by x.
 */
function moveBoxes({ target, region }: DrawContext, dx: number, dy: number): void {
  const { boxes } = region;
  const bands: number[] = [];
  for (let i = 0; i < boxes.length; i += 4) if (i === 0 || boxes[i + 1] !== boxes[i - 3]) bands.push(i);
  bands.push(boxes.length);
  const pixel = pixelBytes(target);
  const { bytes, offset, stride } = target;
  const bandCount = bands.length - 1;
  for (let n = 0; n < bandCount; n++) {
    const band = dy > 0 ? bandCount - 1 - n : n;
    const first = bands[band];
    const last = bands[band + 1] - 4;
    // Within a band whole rows are read and written one by one; only moves along the row need an order of their boxes.
    const step = dx > 0 ? -4 : 4;
    const height = boxes[first + 3] - boxes[first + 1];
    for (let row = 0; row < height; row++) {
      const y = dy > 0 ? boxes[first + 3] - 1 - row : boxes[first + 1] + row;
      for (let i = dx > 0 ? last : first; i >= first && i <= last; i += step) {
        const left = boxes[i];
        const from = offset + (y - dy) * stride + (left - dx) * pixel;
        bytes.copyWithin(offset + y * stride + left * pixel, from, from + (boxes[i + 2] - left) * pixel);
      }
    }
  }
}

function copyThroughSnapshot(context: DrawContext, dx: number, dy: number): void {
  const { target } = context;
  const from = snapshotRows(target, 0, target.height);
  const row = scratchRow(0, target.width);
  forEachRun(context, (x, y, count) => {
    readRow(from, x - dx, y - dy, count, row);
    writeRow(target, x, y, count, row);
  });
}

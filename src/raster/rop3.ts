import type { Rect, RedBrush, RedImage } from "../protocol/red-command.ts";
import { placeImage } from "./copy.ts";
import type { DrawContext } from "./draw-context.ts";
import { forEachRun, narrowed, scratchRow } from "./draw-context.ts";
import type { RowReader } from "./fill.ts";
import { tileReader } from "./fill.ts";
import { openImage } from "./image.ts";
import { applyRop3 } from "./rop.ts";
import { scaleAxisRop3 } from "./scale.ts";
import { readRow, writeRow } from "./surface.ts";

/** ROP3: any of the 256 functions of pattern (brush), source and destination. */
export function drawRop3(
  context: DrawContext,
  image: RedImage,
  srcArea: Rect,
  brush: RedBrush,
  rop3: number,
  scaleMode: number,
): void {
  const { target, source } = context;
  const reader = openImage(image, target, source);
  const pattern = openPattern(context, brush);
  if (reader === undefined || pattern === undefined) return;
  const placed = placeImage(context, reader, srcArea, scaleMode, reader.format, scaleAxisRop3);
  const within = placed && narrowed(context, placed.bounds);
  if (placed === undefined || within === undefined) return;
  const sourceRow = scratchRow(0, target.width);
  const destRow = scratchRow(1, target.width);
  const patternRow = scratchRow(2, target.width);
  forEachRun(within, (x, y, count) => {
    placed.reader.read(x - placed.dx, y - placed.dy, count, sourceRow);
    readRow(target, x, y, count, destRow);
    pattern(x, y, count, patternRow);
    applyRop3(rop3, patternRow, sourceRow, destRow, count);
    writeRow(target, x, y, count, destRow);
  });
}

function openPattern({ target, source }: DrawContext, brush: RedBrush): RowReader | undefined {
  if (brush.type === "pattern") {
    const tile = openImage(brush.image, target, source);
    return tile && tileReader(tile, brush.pos.x, brush.pos.y);
  }
  const color = brush.type === "solid" ? brush.color : 0;
  return (_x, _y, count, out) => out.fill(color, 0, count);
}

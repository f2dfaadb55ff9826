import type { Rect, RedBrush, RedImage } from "../protocol/red-command.ts";
import { placeImage, placedReader } from "./copy.ts";
import { READ_COST, ROP3_COST, WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, painter, scratchRow } from "./draw-context.ts";
import type { RowReader } from "./fill.ts";
import { solidReader, tileReader } from "./fill.ts";
import { openImage } from "./image.ts";
import type { Painter } from "./painter.ts";
import { forEachRun } from "./painter.ts";
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
): Painter | undefined {
  const { target, source } = context;
  const reader = openImage(image, target, source);
  const pattern = openPattern(context, brush);
  if (reader === undefined || pattern === undefined) return undefined;
  const placed = placeImage(context, reader, srcArea, scaleMode, reader.format, scaleAxisRop3);
  const within = placed && narrowed(context, placed.bounds);
  if (placed === undefined || within === undefined) return undefined;
  const sourceRow = scratchRow(0, target.width);
  const destRow = scratchRow(1, target.width);
  const patternRow = scratchRow(2, target.width);
  const from = placedReader(placed);
  const pixelCost = from.pixelCost + pattern.pixelCost + READ_COST + WRITE_COST + ROP3_COST;
  return painter(within, pixelCost, from.rowCost + pattern.rowCost, (...band) => {
    forEachRun(within.mask, ...band, (x, y, count) => {
      from.read(x, y, count, sourceRow);
      readRow(target, x, y, count, destRow);
      pattern.read(x, y, count, patternRow);
      applyRop3(rop3, patternRow, sourceRow, destRow, count);
      writeRow(target, x, y, count, destRow);
    });
  });
}

function openPattern({ target, source }: DrawContext, brush: RedBrush): RowReader | undefined {
  if (brush.type === "pattern") {
    const tile = openImage(brush.image, target, source);
    return tile && tileReader(tile, brush.pos.x, brush.pos.y);
  }
  return solidReader(brush.type === "solid" ? brush.color : 0);
}

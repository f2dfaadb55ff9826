import type { Rect, RedImage } from "../protocol/red-command.ts";
import { placeImage, placedReader } from "./copy.ts";
import { KEY_COST, WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, painter, scratchRow } from "./draw-context.ts";
import { SurfaceFmt, rgb555From, rgb565From } from "./formats.ts";
import { openImage } from "./image.ts";
import type { Painter } from "./painter.ts";
import { forEachRun } from "./painter.ts";
import { ScaleMode } from "./scale.ts";
import { pixelBytes, writeRow } from "./surface.ts";

/** TRANSPARENT: copies all pixels but those of one colour, given as 0x00RRGGBB. Scaling takes the nearest pixel. */
export function drawTransparent(
  context: DrawContext,
  image: RedImage,
  srcArea: Rect,
  trueColor: number,
): Painter | undefined {
  const { target } = context;
  const reader = openImage(image, target, context.source);
  if (reader === undefined) return undefined;
  const placed = placeImage(context, reader, srcArea, ScaleMode.NEAREST, reader.format);
  const within = placed && narrowed(context, placed.bounds);
  if (placed === undefined || within === undefined) return undefined;
  const key = keyColor(target.format, trueColor);
  const bits = pixelBytes(target) === 4 ? 0xff_ffff : 0xffff_ffff;
  const row = scratchRow(0, target.width);
  const { pixelCost, rowCost, read } = placedReader(placed);
  return painter(within, pixelCost + KEY_COST + WRITE_COST, rowCost, (...band) => {
    forEachRun(within.mask, ...band, (x, y, count) => {
      read(x, y, count, row);
      for (let i = 0; i < count;) {
        while (i < count && (row[i] & bits) === key) i++;
        const start = i;
        while (i < count && (row[i] & bits) !== key) i++;
        if (i > start) writeRow(target, x + start, y, i - start, row.subarray(start));
      }
    });
  });
}

function keyColor(format: number, trueColor: number): number {
  switch (format) {
    case SurfaceFmt.Xrgb32:
    case SurfaceFmt.Argb32:
      return trueColor & 0xff_ffff;
    case SurfaceFmt.Rgb555:
      return rgb555From(trueColor);
    case SurfaceFmt.Rgb565:
      return rgb565From(trueColor);
    default:
      return 0;
  }
}

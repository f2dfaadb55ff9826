import type { Rect, RedImage } from "../protocol/red-command.ts";
import { placeImage, placedReader } from "./copy.ts";
import { BLEND_COST, CONVERT_COST, READ_COST, WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, painter, scratchRow } from "./draw-context.ts";
import { SurfaceFmt, rowFromArgb, rowToArgb } from "./formats.ts";
import { openImage } from "./image.ts";
import type { Painter } from "./painter.ts";
import { forEachRun } from "./painter.ts";
import { ScaleMode } from "./scale.ts";
import { readRow, writeRow } from "./surface.ts";

/** Bits of ALPHA_BLEND's flags (spice.proto `alpha_flags`). */
export const AlphaFlags = { DEST_HAS_ALPHA: 1, SRC_SURFACE_HAS_ALPHA: 2 } as const;

/**
 * ALPHA_BLEND: premultiplied OVER with a constant alpha 0..255 on top, rounded as pixman does. On an xRGB surface the fourth byte
 * is alpha only with DEST_HAS_ALPHA, otherwise it becomes 0. Scaling takes the nearest pixel.
 */
export function drawAlphaBlend(
  context: DrawContext,
  image: RedImage,
  srcArea: Rect,
  alpha: number,
  flags: number,
): Painter | undefined {
  if (alpha === 0) return undefined;
  const { target } = context;
  const opened = openImage(image, target, context.source, true);
  if (opened === undefined) return undefined;
  const surfaceHasAlpha = image.kind === "surface" && (flags & AlphaFlags.SRC_SURFACE_HAS_ALPHA) !== 0;
  const format = surfaceHasAlpha && opened.format === SurfaceFmt.Xrgb32 ? SurfaceFmt.Argb32 : opened.format;
  const reader = { ...opened, format };
  const placed = placeImage(context, reader, srcArea, ScaleMode.NEAREST, SurfaceFmt.Argb32);
  const within = placed && narrowed(context, placed.bounds);
  if (placed === undefined || within === undefined) return undefined;
  const source = scratchRow(0, target.width);
  const dest = scratchRow(1, target.width);
  const destFormat =
    target.format === SurfaceFmt.Xrgb32 && flags & AlphaFlags.DEST_HAS_ALPHA
      ? SurfaceFmt.Argb32
      : target.format;
  const sourceFormat = placed.reader.format;
  const from = placedReader(placed);
  const pixelCost = from.pixelCost + READ_COST + 3 * CONVERT_COST + BLEND_COST + WRITE_COST;
  return painter(within, pixelCost, from.rowCost, (...band) => {
    forEachRun(within.mask, ...band, (x, y, count) => {
      from.read(x, y, count, source);
      rowToArgb(source, count, sourceFormat);
      readRow(target, x, y, count, dest);
      rowToArgb(dest, count, destFormat);
      for (let i = 0; i < count; i++) dest[i] = over(source[i], alpha, dest[i]);
      rowFromArgb(dest, count, destFormat);
      writeRow(target, x, y, count, dest);
    });
  });
}

/** a * b / 255, rounded. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

function over(source: number, alpha: number, dest: number): number {
  const sourceAlpha = multiply(source >>> 24, alpha);
  const rest = 255 - sourceAlpha;
  let pixel = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const sum = multiply((source >>> shift) & 255, alpha) + multiply((dest >>> shift) & 255, rest);
    pixel |= Math.min(sum, 255) << shift;
  }
  return pixel;
}

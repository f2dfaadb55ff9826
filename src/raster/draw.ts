import type { RedDrawOperation, RedDrawable } from "../protocol/red-command.ts";
import { drawAlphaBlend } from "./alpha-blend.ts";
import { drawCopyBits } from "./copy-bits.ts";
import { drawCopy } from "./copy.ts";
import type { DrawArea } from "./draw-area.ts";
import { drawableArea } from "./draw-area.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, openContext } from "./draw-context.ts";
import { WHITE, drawBrush, fillSolid, fillSolidRop } from "./fill.ts";
import { drawsItself, ownOrder } from "./own-picture.ts";
import type { Painter } from "./painter.ts";
import { paintAll, paintSmall } from "./painter.ts";
import { Rop, Ropd, ropFromDescriptor } from "./rop.ts";
import { drawRop3 } from "./rop3.ts";
import { copyOfSurface, isSettled, maskOf, pictureOf, settledSource, tileOf } from "./settled-source.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";
import { pixelBytes } from "./surface.ts";
import { drawTransparent } from "./transparent.ts";
import type { CostMeter, Steps } from "./work.ts";
import { finish, unlimited } from "./work.ts";

/** {@link drawing}, all of it at once. */
export function drawDrawable(target: RasterSurface, drawable: RedDrawable, source: RasterSource): void {
  const meter = unlimited();
  const area = finish(drawableArea(drawable, target, meter, source.data));
  if (area !== undefined) finish(drawing(target, drawable, source, area, meter));
}

/**
 * {@link drawing} at once, if it costs no more than a band and needs nothing that takes long: nearly all that desktops draw, so it is
 * kept free of what is only needed to lay work aside.
 * @returns false if it may cost more: then nothing was drawn
 */
export function drawSmall(
  target: RasterSurface,
  drawable: RedDrawable,
  source: RasterSource,
  area: DrawArea,
  meter: CostMeter,
): boolean {
  const { operation } = drawable;
  if (operation.type === "nop") return true;
  if (operation.type === "opaque" || !isSettled(operation)) return false;
  if (operation.type === "copyBits" && pixelBytes(target) === 0) return false;
  const mask = "mask" in operation ? operation.mask : undefined;
  const context = openContext(target, drawable, source, area, mask);
  if (context === undefined) return true;
  const painter =
    operation.type === "copyBits" ? drawCopyBits(context, operation.src) : open(context, operation);
  return painter === undefined || paintSmall(painter, meter);
}

/**
 * Draws one drawable on its surface, to the pixel as spice-common's software canvas does, clipped to the surface, the bounding
 * box and the clip. What cannot be drawn (a missing source surface, a bitmap larger than its data) is left out; nothing is
 * read or written outside the target, the sources and `source.data`.
 *
 * Until it is finished the surface shows some of it. Neither target nor sources may be drawn on or go away meanwhile; their memory
 * may move, if their `bytes` tell where it is.
 * @param area of {@link drawableArea} for this drawable and surface
 */
export function* drawing(
  target: RasterSurface,
  drawable: RedDrawable,
  source: RasterSource,
  area: DrawArea,
  meter: CostMeter,
): Steps {
  const { operation } = drawable;
  if (operation.type === "nop") return;
  const own = drawsItself(operation, target, source);
  const images = [own ? undefined : pictureOf(operation), tileOf(operation), maskOf(operation)];
  const settled = yield* settledSource(images, target, source, meter);
  const mask = "mask" in operation ? operation.mask : undefined;
  const context = openContext(target, drawable, settled, area, mask);
  if (context === undefined) return;
  if (operation.type === "copyBits") {
    const before = pixelBytes(target) === 0 ? yield* copyOfSurface(target, meter) : undefined;
    const painter = drawCopyBits(context, operation.src, before);
    if (painter !== undefined) yield* paintAll(painter, meter);
    return;
  }
  if (own) yield* drawingItself(context, operation, meter);
  else {
    const painter = open(context, operation);
    if (painter !== undefined) yield* paintAll(painter, meter);
  }
  if (operation.type !== "opaque") return;
  // The brush may be made of what was just drawn.
  const again = yield* settledSource([tileOf(operation)], target, source, meter);
  const rop = ropFromDescriptor(operation.rop, Ropd.InversBrush, Ropd.InversSrc);
  const brush = drawBrush({ ...context, source: again }, operation.brush, rop);
  if (brush !== undefined) yield* paintAll(brush, meter);
}

/** Draws a surface on itself, as if all of it were read before the first is written. */
function* drawingItself(
  context: DrawContext,
  operation: Parameters<typeof ownOrder>[0],
  meter: CostMeter,
): Steps {
  const { target, source, bbox } = context;
  const { parts, kept } = ownOrder(operation, target, bbox, context.area);
  for (const { rows, upwards } of parts) {
    const part = narrowed({ ...context, source: { ...source, kept } }, rows);
    const painter = part && open(part, operation);
    if (painter !== undefined) yield* paintAll(upwards ? paintedUpwards(painter) : painter, meter);
  }
}

/** Paints the same from the bottom row to the top one. */
function paintedUpwards(painter: Painter): Painter {
  return {
    ...painter,
    upwards: true,
    paint(boxes, first, last, top, bottom) {
      for (let y = bottom - 1; y >= top; y--) painter.paint(boxes, first, last, y, y + 1);
    },
  };
}

/** Finds the operands; of OPAQUE those of its copy. */
function open(
  context: DrawContext,
  operation: Exclude<RedDrawOperation, { readonly type: "nop" | "copyBits" }>,
): Painter | undefined {
  switch (operation.type) {
    case "fill": {
      const rop = ropFromDescriptor(operation.rop, Ropd.InversBrush, Ropd.InversDest);
      return drawBrush(context, operation.brush, rop);
    }
    case "opaque":
      return drawCopy(context, operation.src, operation.srcArea, operation.scaleMode, Rop.COPY);
    case "copy":
    case "blend": {
      const { src, srcArea, scaleMode, rop } = operation;
      const table = ropFromDescriptor(rop, Ropd.InversSrc, Ropd.InversDest);
      return drawCopy(context, src, srcArea, scaleMode, table);
    }
    case "blackness":
      return fillSolid(context, 0);
    case "whiteness":
      return fillSolid(context, WHITE);
    case "invers":
      return fillSolidRop(context, 0, Rop.INVERT);
    case "rop3": {
      const { src, srcArea, brush, rop3, scaleMode } = operation;
      return drawRop3(context, src, srcArea, brush, rop3, scaleMode);
    }
    case "transparent":
      return drawTransparent(context, operation.src, operation.srcArea, operation.trueColor);
    case "alphaBlend":
      return drawAlphaBlend(context, operation.src, operation.srcArea, operation.alpha, operation.flags);
  }
}

import type { Rect, RedDrawable, RedMask } from "../protocol/red-command.ts";
import { MASK_COST } from "./costs.ts";
import type { DrawArea } from "./draw-area.ts";
import type { Mask } from "./mask.ts";
import { openMask } from "./mask.ts";
import type { Painter } from "./painter.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";

/** What every operation family is given: where it may draw and what it may read. */
export interface DrawContext {
  readonly target: RasterSurface;
  readonly source: RasterSource;
  readonly bbox: Rect;
  /** Surface, bounding box, clip and mask's bounds intersected. */
  readonly area: DrawArea;
  /** Narrows the area bit by bit. */
  readonly mask: Mask | undefined;
}

/** Undefined when nothing is to be drawn. */
export function openContext(
  target: RasterSurface,
  drawable: RedDrawable,
  source: RasterSource,
  area: DrawArea,
  redMask: RedMask | undefined,
): DrawContext | undefined {
  const { bbox } = drawable;
  const mask = openMask(redMask, bbox.left, bbox.top, source);
  if (mask === null) return undefined;
  const context = { target, source, bbox, area, mask };
  return mask === undefined ? context : narrowed(context, mask);
}

/** The context with its area cut to a rectangle, whose edges may be any numbers; undefined when nothing is left. */
export function narrowed(context: DrawContext, rect: Rect): DrawContext | undefined {
  const area = context.area.narrowed(rect);
  if (area === context.area) return context;
  return area && { ...context, area };
}

/** A painter of the context's area. @param pixelCost without that of the mask. */
export function painter(
  { area, mask }: DrawContext,
  pixelCost: number,
  rowCost: number,
  paint: Painter["paint"],
): Painter {
  return {
    area,
    pixelCost: mask === undefined ? pixelCost : pixelCost + MASK_COST,
    rowCost,
    upwards: false,
    paint,
  };
}

const scratch: Uint32Array[] = [];

/** Scratch rows for `count` pixels, the `index`th of them; kept from call to call, but not what is in them. */
export function scratchRow(index: number, count: number): Uint32Array {
  const row = scratch[index];
  if (row !== undefined && row.length >= count) return row;
  const wider = new Uint32Array(Math.max(1024, count));
  scratch[index] = wider;
  return wider;
}

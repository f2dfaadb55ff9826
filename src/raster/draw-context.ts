import type { Rect, RedDrawable, RedMask } from "../protocol/red-command.ts";
import type { Mask } from "./mask.ts";
import { openMask } from "./mask.ts";
import { Region } from "./region.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";

/** What every operation family is given: where it may draw and what it may read. */
export interface DrawContext {
  readonly target: RasterSurface;
  readonly source: RasterSource;
  readonly bbox: Rect;
  /** Surface, bounding box, clip and mask's bounds intersected; not empty. */
  readonly region: Region;
  /** Narrows the region bit by bit. */
  readonly mask: Mask | undefined;
}

/** The pixels that a drawable may change on a surface: bbox, clip and surface intersected (its mask is not looked at). */
export function drawableRegion(
  drawable: Pick<RedDrawable, "bbox" | "clip">,
  surface: { readonly width: number; readonly height: number },
): Region {
  const { bbox, clip } = drawable;
  const bounds = Region.rect({
    top: Math.max(0, bbox.top),
    left: Math.max(0, bbox.left),
    bottom: Math.min(surface.height, bbox.bottom),
    right: Math.min(surface.width, bbox.right),
  });
  return clip === undefined || bounds.isEmpty ? bounds : bounds.intersect(Region.union(clip));
}

/** Undefined when nothing is to be drawn. */
export function openContext(
  target: RasterSurface,
  drawable: RedDrawable,
  source: RasterSource,
  redMask: RedMask | undefined,
): DrawContext | undefined {
  const { bbox } = drawable;
  const region = drawableRegion(drawable, target);
  if (region.isEmpty) return undefined;
  const mask = openMask(redMask, bbox.left, bbox.top, target, source);
  if (mask === null) return undefined;
  if (mask === undefined) return { target, source, bbox, region, mask };
  return narrowed({ target, source, bbox, region, mask }, mask);
}

/** The context with its region cut to a rectangle, whose edges may be any numbers; undefined when nothing is left. */
export function narrowed(context: DrawContext, rect: Rect): DrawContext | undefined {
  const extents = context.region.bounds();
  const region = context.region.intersect(
    Region.rect({
      top: Math.max(rect.top, extents.top),
      left: Math.max(rect.left, extents.left),
      bottom: Math.min(rect.bottom, extents.bottom),
      right: Math.min(rect.right, extents.right),
    }),
  );
  return region.isEmpty ? undefined : { ...context, region };
}

let maskBits = new Uint32Array(1024);

/** Calls `draw` for each run of pixels that is to be drawn, top to bottom and left to right. */
export function forEachRun(context: DrawContext, draw: (x: number, y: number, count: number) => void): void {
  const { region, mask } = context;
  const { boxes } = region;
  for (let i = 0; i < boxes.length; i += 4) {
    const left = boxes[i];
    const right = boxes[i + 2];
    for (let y = boxes[i + 1]; y < boxes[i + 3]; y++) {
      if (mask === undefined) draw(left, y, right - left);
      else forEachMaskedRun(mask, left, right, y, draw);
    }
  }
}

function forEachMaskedRun(
  mask: Mask,
  left: number,
  right: number,
  y: number,
  draw: (x: number, y: number, count: number) => void,
): void {
  const width = right - left;
  if (maskBits.length < width) maskBits = new Uint32Array(width);
  const bits = maskBits;
  mask.read(left, y, width, bits);
  for (let i = 0; i < width;) {
    if (bits[i] === 0) {
      i++;
      continue;
    }
    const start = i;
    while (i < width && bits[i] !== 0) i++;
    draw(left + start, y, i - start);
  }
}

const scratch: Uint32Array[] = [];

/** Scratch rows for `count` pixels, the `index`th of them; kept from call to call. */
export function scratchRow(index: number, count: number): Uint32Array {
  const row = scratch[index];
  if (row !== undefined && row.length >= count) return row;
  const wider = new Uint32Array(Math.max(1024, count));
  scratch[index] = wider;
  return wider;
}

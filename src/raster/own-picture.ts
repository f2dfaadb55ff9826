import type { Rect, RedDrawOperation } from "../protocol/red-command.ts";
import type { DrawArea } from "./draw-area.ts";
import { maskOf, pictureOf, tileOf } from "./settled-source.ts";
import { ScaleMode, interpolatedRow, nearestRow, scaleAxis, scaleAxisRop3 } from "./scale.ts";
import type { KeptRow, RasterSource, RasterSurface } from "./surface.ts";
import { isSameSurface, readRow, sharesMemory } from "./surface.ts";

type PictureOperation = Extract<RedDrawOperation, { readonly srcArea: Rect }>;

/** Rows that are painted in one direction. */
interface OwnPart {
  readonly rows: Rect;
  readonly upwards: boolean;
}

/** The order in which a surface is drawn on itself. */
export interface OwnOrder {
  readonly parts: readonly OwnPart[];
  /** A row that the second part reads and the first one writes. */
  readonly kept: KeptRow | undefined;
}

/** Whether the operation's picture is the surface that is drawn on, and nothing else that it reads lies there. */
export function drawsItself(
  operation: RedDrawOperation,
  target: RasterSurface,
  source: RasterSource,
): operation is PictureOperation {
  const image = pictureOf(operation);
  if (image?.kind !== "surface") return false;
  const own = source.surface(image.surfaceId);
  if (own === undefined || !isSameSurface(own, target)) return false;
  return [tileOf(operation), maskOf(operation)].every((other) => {
    const surface = other?.kind === "surface" ? source.surface(other.surfaceId) : undefined;
    return surface === undefined || !sharesMemory(surface, target);
  });
}

/**
 * In which order rows go so that none is written before it was read, instead of a copy of them all.
 *
 * Row y is made of row f(y), and of the one below it when pixels are interpolated. f is a straight line, so the rows that read at or
 * below themselves (painted downwards) lie on one side of a single row, those that read above themselves (painted upwards) on the other,
 * and neither reads what the other writes. But for one row: where the picture grows, interpolated, around a row that stays where it is.
 */
export function ownOrder(
  operation: PictureOperation,
  target: RasterSurface,
  bbox: Rect,
  area: DrawArea,
): OwnOrder {
  const { top, bottom } = area.bounds;
  const rowRead = rowsRead(operation, bbox);
  const readsAbove = (y: number) => rowRead(y) < y;
  const first = readsAbove(top);
  let split = top;
  for (let end = bottom; split < end;) {
    const middle = (split + end) >> 1;
    if (readsAbove(middle) === first) split = middle + 1;
    else end = middle;
  }
  const rows = (from: number, to: number): Rect => ({ ...area.bounds, top: from, bottom: to });
  const before: OwnPart = { rows: rows(top, split), upwards: first };
  if (split === bottom) return { parts: [before], kept: undefined };
  const behind: OwnPart = { rows: rows(split, bottom), upwards: !first };
  // The part that is painted upwards ends at the row that the other one may need.
  if (first) return { parts: [before, behind], kept: undefined };
  const pixels = new Uint32Array(target.width);
  readRow(target, 0, split, target.width, pixels);
  return { parts: [behind, before], kept: { y: split, pixels } };
}

/** The upper row, of the surface, that a row of the surface is made of. */
function rowsRead(operation: PictureOperation, bbox: Rect): (y: number) => number {
  const { srcArea } = operation;
  const height = bbox.bottom - bbox.top;
  const sourceHeight = srcArea.bottom - srcArea.top;
  if (height === sourceHeight && bbox.right - bbox.left === srcArea.right - srcArea.left) {
    return (y) => y - bbox.top + srcArea.top;
  }
  const axis = (operation.type === "rop3" ? scaleAxisRop3 : scaleAxis)(srcArea.top, sourceHeight, height);
  const nearest = !("scaleMode" in operation) || operation.scaleMode === ScaleMode.NEAREST;
  const row = nearest ? nearestRow : interpolatedRow;
  return (y) => row(axis, y - bbox.top);
}

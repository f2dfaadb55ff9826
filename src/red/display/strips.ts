import type { Rect } from "../../protocol/red-command.ts";
import { SYNC_STRIP_PIXELS } from "../limits.ts";

/** Cuts rectangles into strips of at most {@link SYNC_STRIP_PIXELS}. */
export function strips(rects: readonly Rect[]): Rect[] {
  const result: Rect[] = [];
  for (const rect of rects) {
    const rows = Math.max(1, Math.floor(SYNC_STRIP_PIXELS / (rect.right - rect.left)));
    for (let top = rect.top; top < rect.bottom; top += rows) {
      result.push({ ...rect, top, bottom: Math.min(top + rows, rect.bottom) });
    }
  }
  return result;
}

/** Pixels of rectangles that do not overlap. */
export function areaOf(rects: readonly Rect[]): number {
  return rects.reduce((sum, { top, left, bottom, right }) => sum + (bottom - top) * (right - left), 0);
}

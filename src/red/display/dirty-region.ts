import type { Rect } from "../../protocol/red-command.ts";
import { Region } from "../../raster/index.ts";
import { MAX_DIRTY_RECTS } from "../limits.ts";

/** Pixels of a surface that somebody still has to get. Grows to its bounding box rather than to ever more rectangles. */
export class DirtyRegion {
  #region = Region.empty;

  get isEmpty(): boolean {
    return this.#region.isEmpty;
  }

  get rects(): readonly Rect[] {
    return this.#region.rects();
  }

  add(region: Region): void {
    this.#region = this.#region.union(region);
    if (this.#region.size > MAX_DIRTY_RECTS) this.#region = Region.rect(this.#region.bounds());
  }

  addRect(rect: Rect): void {
    this.add(Region.rect(rect));
  }

  remove(rect: Rect): void {
    this.#region = this.#region.subtract(Region.rect(rect));
  }

  /** Empties it and returns what it held. */
  take(): readonly Rect[] {
    const rects = this.#region.rects();
    this.#region = Region.empty;
    return rects;
  }

  clear(): void {
    this.#region = Region.empty;
  }
}

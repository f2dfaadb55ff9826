import type { DataSpan, Rect, RedDrawable } from "../protocol/red-command.ts";
import type { BandCursor } from "./clip-sweep.ts";
import { ClipSweep } from "./clip-sweep.ts";
import { MAX_REGION_RECTS, SMALL_CLIP_RECTS } from "./limits.ts";
import { BandWriter, Region } from "./region.ts";
import type { CostMeter, Steps } from "./work.ts";

/**
 * The pixels that a drawable may change: bounding box, clip and surface intersected. Not empty. Has either a region or, where the
 * clip is too fine for one, the sorted rectangles.
 */
export class DrawArea {
  readonly bounds: Rect;
  /** Undefined for a clip that is finer than {@link MAX_REGION_RECTS}. */
  readonly region: Region | undefined;
  readonly #sweep: ClipSweep | undefined;

  constructor(bounds: Rect, region: Region | undefined, sweep?: ClipSweep) {
    this.bounds = bounds;
    this.region = region;
    this.#sweep = sweep;
  }

  /** The area cut to a rectangle, whose edges may be any numbers; undefined when nothing is left. */
  narrowed(rect: Rect): DrawArea | undefined {
    const { bounds, region } = this;
    const { top, left, bottom, right } = bounds;
    if (rect.top <= top && rect.left <= left && rect.bottom >= bottom && rect.right >= right) return this;
    const cut: Rect = {
      top: Math.max(rect.top, top),
      left: Math.max(rect.left, left),
      bottom: Math.min(rect.bottom, bottom),
      right: Math.min(rect.right, right),
    };
    if (cut.top >= cut.bottom || cut.left >= cut.right) return undefined;
    if (region === undefined) return new DrawArea(cut, undefined, this.#sweep);
    const within = region.intersect(Region.rect(cut));
    return within.isEmpty ? undefined : new DrawArea(within.bounds(), within);
  }

  /** Its bands of rows, from the top or from the bottom. */
  bands(upwards: boolean): BandCursor {
    if (this.region !== undefined) return new RegionCursor(this.region.boxes, upwards);
    if (this.#sweep === undefined) throw new TypeError("an area has a region or a sweep");
    return this.#sweep.bands(this.bounds, upwards);
  }
}

/** What is needed of a drawable and its surface. */
type Clipped = Pick<RedDrawable, "bbox" | "clip" | "clipData">;
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * What a drawable may change on a surface (its mask is not looked at); undefined if that is nothing.
 * @param data what `clipData` points into
 */
export function* drawableArea(
  drawable: Clipped,
  surface: Size,
  meter: CostMeter,
  data: Uint8Array = new Uint8Array(0),
): Steps<DrawArea | undefined> {
  if (hasSimpleClip(drawable)) return simpleArea(drawable, surface);
  const clip = drawable.clipData === undefined ? drawable.clip : rectsAt(data, drawable.clipData);
  if (clip === undefined) return undefined;
  const bounds = boundsOf(drawable, surface);
  return Region.rect(bounds).isEmpty ? undefined : yield* fineArea(clip, bounds, meter);
}

/** Whether the clip has so few rectangles that {@link simpleArea} will do. */
export function hasSimpleClip({ clip, clipData }: Clipped): boolean {
  return clipData === undefined && (clip === undefined || clip.length <= SMALL_CLIP_RECTS);
}

/** The numbers of many rectangles; undefined if they are not all there. */
function rectsAt(data: Uint8Array, { offset, length }: DataSpan): Int32Array | undefined {
  if (offset < 0 || length < 0 || offset + length > data.length) return undefined;
  const at = data.byteOffset + offset;
  // A copy only where they do not lie on words.
  if (at % 4 === 0) return new Int32Array(data.buffer, at, length >> 2);
  return new Int32Array(data.slice(offset, offset + (length & ~3)).buffer);
}

/** {@link drawableArea} at once, for a few clip rectangles. */
export function simpleArea(drawable: Clipped, surface: Size): DrawArea | undefined {
  const { clip } = drawable;
  const bounds = boundsOf(drawable, surface);
  const box = Region.rect(bounds);
  if (box.isEmpty) return undefined;
  if (clip === undefined) return new DrawArea(bounds, box);
  const region = box.intersect(Region.union(clip));
  return region.isEmpty ? undefined : new DrawArea(region.bounds(), region);
}

function boundsOf({ bbox }: Clipped, { width, height }: Size): Rect {
  return {
    top: Math.max(0, bbox.top),
    left: Math.max(0, bbox.left),
    bottom: Math.min(height, bbox.bottom),
    right: Math.min(width, bbox.right),
  };
}

function* fineArea(
  clip: readonly Rect[] | Int32Array,
  bounds: Rect,
  meter: CostMeter,
): Steps<DrawArea | undefined> {
  const sweep = yield* ClipSweep.open(clip, bounds, meter);
  const out = new BandWriter();
  const bands = sweep.bands(bounds, false);
  while (bands.next()) {
    const { boxes, first, last, top, bottom } = bands;
    out.beginBand();
    for (let i = first; i < last; i += 4) out.span(boxes[i], top, boxes[i + 2], bottom);
    out.endBand();
    meter.spend(bands.cost + last - first);
    if (out.length > 4 * MAX_REGION_RECTS) return new DrawArea(bounds, undefined, sweep);
    if (meter.isSpent) yield;
  }
  const region = Region.ofBands(out.finish());
  return region.isEmpty ? undefined : new DrawArea(region.bounds(), region);
}

/** The bands of a region's boxes. */
class RegionCursor implements BandCursor {
  readonly boxes: Int32Array;
  readonly cost = 0;
  first: number;
  last: number;
  top = 0;
  bottom = 0;
  readonly #upwards: boolean;

  constructor(boxes: Int32Array, upwards: boolean) {
    this.boxes = boxes;
    this.#upwards = upwards;
    this.first = this.last = upwards ? boxes.length : 0;
  }

  next(): boolean {
    const { boxes } = this;
    if (this.#upwards) {
      if (this.first === 0) return false;
      this.last = this.first;
      this.first -= 4;
      this.top = boxes[this.first + 1];
      while (this.first > 0 && boxes[this.first - 3] === this.top) this.first -= 4;
    } else {
      if (this.last === boxes.length) return false;
      this.first = this.last;
      this.last += 4;
      this.top = boxes[this.first + 1];
      while (this.last < boxes.length && boxes[this.last + 1] === this.top) this.last += 4;
    }
    this.bottom = boxes[this.first + 3];
    return true;
  }
}

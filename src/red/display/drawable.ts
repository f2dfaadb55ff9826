import type { ImageSource } from "../../image/index.ts";
import { bitsPerPixel } from "../../image/index.ts";
import type { Point, Rect, RedBitmap, RedDrawable, RedImage } from "../../protocol/red-command.ts";
import { Region, SurfaceFmt } from "../../raster/index.ts";
import type { DrawArea } from "../../raster/index.ts";
import type { ClientProfile, DrawPlan } from "./draw-plan.ts";
import { planDrawable } from "./draw-plan.ts";
import { GuestImage } from "../images/guest-image.ts";
import { MAX_SPLIT_RECTS } from "../limits.ts";
import { Picture } from "../images/picture.ts";
import { strips } from "./strips.ts";
import type { RedSurface } from "./surface.ts";

/** A picture and where on its surface it belongs. */
export interface PlacedPicture {
  readonly rect: Rect;
  readonly picture: Picture;
}

/**
 * A drawing command that was just rendered, on its way to the clients. Everything costly (cropped pictures, encodings, the
 * pixels it left behind) is made when the first client asks and shared by the others.
 */
export class Drawable {
  readonly command: RedDrawable;
  readonly surface: RedSurface;
  /** The pixels it may have changed: bbox, clip and surface intersected, or their bounding box. Not empty. */
  readonly region: Region;
  /** Whether the region is exact. Otherwise only the pixels tell what was drawn. */
  readonly isExact: boolean;
  readonly #data: Uint8Array;
  readonly #surfaces: (id: number) => RedSurface | undefined;
  readonly #plans = new Map<ClientProfile, DrawPlan>();
  #copies: readonly PlacedPicture[] | undefined;
  #image: GuestImage | undefined;
  readonly #pixels = new Map<boolean, readonly PlacedPicture[]>();

  constructor(
    command: RedDrawable,
    data: Uint8Array,
    surface: RedSurface,
    area: DrawArea,
    surfaces: (id: number) => RedSurface | undefined,
  ) {
    this.command = command;
    this.surface = surface;
    this.region = area.region ?? Region.rect(area.bounds);
    this.isExact = area.region !== undefined;
    this.#data = data;
    this.#surfaces = surfaces;
  }

  plan(profile: ClientProfile): DrawPlan {
    let plan = this.#plans.get(profile);
    if (plan === undefined) {
      plan = planDrawable(this, profile);
      this.#plans.set(profile, plan);
    }
    return plan;
  }

  /** Another living surface that the drawable reads. */
  source(id: number): RedSurface | undefined {
    return this.#surfaces(id);
  }

  /** The rectangles to draw one by one, or only the bounding box where they are many. */
  get pieces(): readonly Rect[] {
    const { region } = this;
    return region.size <= MAX_SPLIT_RECTS ? region.rects() : [region.bounds()];
  }

  /** The part of a copy's source that lands on `rect` of the surface. */
  sourceRect(rect: Rect): Rect {
    const { operation, bbox } = this.command;
    if (!("srcArea" in operation)) return rect;
    return moved(rect, operation.srcArea.left - bbox.left, operation.srcArea.top - bbox.top);
  }

  /** Where COPY_BITS reads what it puts on the region's bounding box. */
  get copyBitsSource(): Rect {
    const { operation, bbox } = this.command;
    const src: Point = operation.type === "copyBits" ? operation.src : { x: bbox.left, y: bbox.top };
    return moved(this.region.bounds(), src.x - bbox.left, src.y - bbox.top);
  }

  /** Bytes of guest pixels that stay in memory with this drawable. */
  get bytes(): number {
    const { operation } = this.command;
    return "src" in operation && isBitmap(operation.src) ? operation.src.data.length : 0;
  }

  /** Whether all rows of a bitmap really are in the batch. */
  holds({ data, stride, height }: RedBitmap): boolean {
    const { offset, length } = data;
    return offset >= 0 && stride > 0 && stride * height <= length && offset + length <= this.#data.length;
  }

  /** For the plan `copyBitmap`: the source cut to each of the {@link pieces}, and these to strips. */
  get copies(): readonly PlacedPicture[] {
    const bitmap = this.#bitmap;
    this.#copies ??= strips(this.pieces).map((rect) => ({
      rect,
      picture: new Picture(this.#crop(bitmap, this.sourceRect(rect)), bitmap.palette?.unique),
    }));
    return this.#copies;
  }

  /** For the plan `copyBitmap`: all of the source, if the guest wants it to be cached. */
  get image(): GuestImage | undefined {
    const bitmap = this.#bitmap;
    if (!bitmap.cacheMe) return undefined;
    const whole = { top: 0, left: 0, bottom: bitmap.height, right: bitmap.width };
    this.#image ??= new GuestImage(bitmap, this.#crop(bitmap, whole));
    return this.#image;
  }

  /** For the plan `pixels`: what the surface held after this drawable. Must be asked for before the next one is rendered. */
  pixels(profile: ClientProfile): readonly PlacedPicture[] {
    const as32 = profile === "limited" && this.surface.format !== SurfaceFmt.Xrgb32;
    let pixels = this.#pixels.get(as32);
    if (pixels === undefined) {
      const read = (rect: Rect): ImageSource =>
        as32 ? this.surface.read32(rect) : this.surface.snapshot(rect);
      pixels = strips(this.pieces).map((rect) => ({ rect, picture: new Picture(read(rect)) }));
      this.#pixels.set(as32, pixels);
    }
    return pixels;
  }

  get #bitmap(): RedBitmap {
    const { operation } = this.command;
    if (operation.type !== "copy" || !isBitmap(operation.src)) throw new TypeError("not a copy of a bitmap");
    return operation.src;
  }

  #crop(bitmap: RedBitmap, rect: Rect): ImageSource {
    const { format, stride, topDown } = bitmap;
    const firstRow = topDown ? rect.top : bitmap.height - 1 - rect.top;
    return {
      format,
      width: rect.right - rect.left,
      height: rect.bottom - rect.top,
      stride: topDown ? stride : -stride,
      offset: bitmap.data.offset + firstRow * stride + (rect.left * bitsPerPixel(format)) / 8,
      bytes: this.#data,
      topDown: true,
      palette: bitmap.palette && Uint32Array.from(bitmap.palette.entries),
    };
  }
}

function isBitmap(image: unknown): image is RedBitmap {
  return (image as RedImage).kind === "bitmap";
}

function moved(rect: Rect, dx: number, dy: number): Rect {
  return { top: rect.top + dy, left: rect.left + dx, bottom: rect.bottom + dy, right: rect.right + dx };
}

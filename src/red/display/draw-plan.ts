import { BitmapFmt, bitsPerPixel } from "../../image/index.ts";
import type { Rect, RedBitmap, RedImage } from "../../protocol/red-command.ts";
import type { Drawable } from "./drawable.ts";
import { MAX_SPLIT_RECTS } from "../limits.ts";
import { Ropd } from "../../protocol/index.ts";
import { SurfaceFmt } from "../../raster/index.ts";

/**
 * What a display client can draw. `full`: spice-gtk, every operation with clip, off-screen surfaces. `limited`: spice-html5, which
 * has no clip, no raster operation, no mask, draws only whole images of 32 bits and holds only the primary surface here.
 */
export type ClientProfile = "full" | "limited";

/**
 * How a drawable reaches a client: as the message of that name, or as `pixels`, a picture of what it left on the surface, which
 * is right whatever the operation was.
 */
export type DrawPlan =
  | "fill"
  | "copyBitmap"
  | "copySurface"
  | "copyBits"
  | "blackness"
  | "whiteness"
  | "invers"
  | "pixels";

/** Raster operations of a fill with one colour that need no more thought. */
const simpleRops: readonly number[] = [Ropd.OpPut, Ropd.OpOr, Ropd.OpAnd, Ropd.OpXor, Ropd.OpInvers];

/**
 * Chooses the plan. Only operations that server and client provably draw to the same pixels go out as themselves: fills with a
 * solid colour, unscaled opaque copies, COPY_BITS and the three without operands, all without mask. No Linux driver emits
 * anything else often enough for its bytes to matter.
 */
export function planDrawable(drawable: Drawable, profile: ClientProfile): DrawPlan {
  if (!drawable.isExact) return "pixels";
  return profile === "full" ? planFull(drawable) : planLimited(drawable);
}

function planFull(drawable: Drawable): DrawPlan {
  const { operation } = drawable.command;
  const { surface } = drawable;
  switch (operation.type) {
    case "fill":
      return operation.brush.type === "solid" && simpleRops.includes(operation.rop) && !hasMask(operation)
        ? "fill"
        : "pixels";
    case "copy":
      if (operation.rop !== Ropd.OpPut || hasMask(operation) || !isUnscaled(drawable, operation.srcArea))
        return "pixels";
      if (operation.src.kind === "surface") return planSurfaceCopy(drawable, operation.src.surfaceId);
      return operation.src.kind === "bitmap" &&
        isCroppable(drawable, operation.src, operation.srcArea) &&
        bitmapFits(operation.src, surface.format)
        ? "copyBitmap"
        : "pixels";
    case "copyBits":
      return isInside(drawable.copyBitsSource, surface.bounds) ? "copyBits" : "pixels";
    case "blackness":
    case "whiteness":
    case "invers":
      return hasMask(operation) || surface.format !== SurfaceFmt.Xrgb32 ? "pixels" : operation.type;
    default:
      return "pixels";
  }
}

function planLimited(drawable: Drawable): DrawPlan {
  const { operation } = drawable.command;
  const { surface, region } = drawable;
  if (surface.format !== SurfaceFmt.Xrgb32) return "pixels";
  const rects = region.size;
  switch (operation.type) {
    case "fill":
      return operation.rop === Ropd.OpPut && rects <= MAX_SPLIT_RECTS ? planFull(drawable) : "pixels";
    case "copy":
      return rects <= MAX_SPLIT_RECTS &&
        operation.src.kind === "bitmap" &&
        (operation.src.format === BitmapFmt.Bit32 || operation.src.format === BitmapFmt.Rgba)
        ? planFull(drawable)
        : "pixels";
    case "copyBits":
      return rects === 1 ? planFull(drawable) : "pixels";
    default:
      return "pixels";
  }
}

function hasMask(operation: { readonly mask?: { readonly bitmap?: RedImage } }): boolean {
  return operation.mask?.bitmap !== undefined;
}

function isUnscaled(drawable: Drawable, srcArea: Rect): boolean {
  const { bbox } = drawable.command;
  return (
    srcArea.right - srcArea.left === bbox.right - bbox.left &&
    srcArea.bottom - srcArea.top === bbox.bottom - bbox.top
  );
}

/** Formats of off-screen surfaces that clients get; pictures of them are lossless in a bitmap format. */
const shareableFormats: readonly number[] = [SurfaceFmt.Xrgb32, SurfaceFmt.Argb32, SurfaceFmt.Rgb555];

/** A surface may be copied to another one of the same format; ARGB on xRGB loses only what xRGB does not show. */
function planSurfaceCopy(drawable: Drawable, sourceId: number): DrawPlan {
  const { surface } = drawable;
  const source = drawable.source(sourceId);
  if (source === undefined || source === surface || !shareableFormats.includes(source.format))
    return "pixels";
  const same =
    source.format === surface.format ||
    (source.format === SurfaceFmt.Argb32 && surface.format === SurfaceFmt.Xrgb32);
  return same && isInside(drawable.sourceRect(drawable.region.bounds()), source.bounds)
    ? "copySurface"
    : "pixels";
}

/** Whether the part of the bitmap that is drawn exists and begins on a byte. */
function isCroppable(drawable: Drawable, bitmap: RedBitmap, srcArea: Rect): boolean {
  if (!drawable.holds(bitmap)) return false;
  if (!isInside(srcArea, { top: 0, left: 0, bottom: bitmap.height, right: bitmap.width })) return false;
  const bits = bitsPerPixel(bitmap.format);
  return drawable.pieces.every((rect) => (drawable.sourceRect(rect).left * bits) % 8 === 0);
}

/** Whether the client's canvas turns this bitmap format into the surface's pixels exactly as ours does. */
function bitmapFits(bitmap: RedBitmap, surfaceFormat: number): boolean {
  const { format } = bitmap;
  switch (surfaceFormat) {
    case SurfaceFmt.Xrgb32:
      // spice-gtk aborts on the little-endian palette formats; an alpha bitmap has no colour.
      if (format === BitmapFmt.Bit1Le || format === BitmapFmt.Bit4Le || format === BitmapFmt.Bit8A)
        return false;
      // Nor does it bear an index beyond the palette.
      return format > BitmapFmt.Bit8 || (bitmap.palette?.entries.length ?? 0) >= 1 << bitsPerPixel(format);
    case SurfaceFmt.Argb32:
      return format === BitmapFmt.Rgba;
    case SurfaceFmt.Rgb555:
      return format === BitmapFmt.Bit16;
    case SurfaceFmt.A8:
      return format === BitmapFmt.Bit8A;
    default:
      return false;
  }
}

function isInside(rect: Rect, bounds: Rect): boolean {
  return (
    rect.left >= bounds.left &&
    rect.top >= bounds.top &&
    rect.right <= bounds.right &&
    rect.bottom <= bounds.bottom
  );
}

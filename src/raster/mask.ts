import type { RedMask } from "../protocol/red-command.ts";
import { BitmapFmt, SurfaceFmt } from "./formats.ts";
import { readIndices } from "./image.ts";
import type { RasterSource } from "./surface.ts";
import { readRow } from "./surface.ts";

/** One bit a pixel: which pixels of the bounding box are drawn. Pixels beyond the mask are not. */
export interface Mask {
  /** In target pixels, half open. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Bits of the target pixels (x .. x + count, y), inside the bounds above: 1 = draw. */
  read(x: number, y: number, count: number, out: Uint32Array): void;
}

/**
 * Opens the mask of an operation whose bounding box begins at (left, top).
 * @returns undefined when everything is drawn, null when the mask is broken and nothing is to be drawn
 */
export function openMask(
  mask: RedMask | undefined,
  left: number,
  top: number,
  source: RasterSource,
): Mask | undefined | null {
  if (mask?.bitmap === undefined) return undefined;
  const { bitmap, inverse, pos } = mask;
  const dx = left - pos.x;
  const dy = top - pos.y;
  const bits = bitReader(bitmap, source);
  if (bits === undefined) return null;
  const flip = inverse ? 1 : 0;
  return {
    left: dx,
    top: dy,
    right: dx + bits.width,
    bottom: dy + bits.height,
    read(x, y, count, out) {
      bits.read(x - dx, y - dy, count, out);
      if (flip) for (let i = 0; i < count; i++) out[i] ^= 1;
    },
  };
}

interface BitReader {
  readonly width: number;
  readonly height: number;
  read(x: number, y: number, count: number, out: Uint32Array): void;
}

function bitReader(image: NonNullable<RedMask["bitmap"]>, source: RasterSource): BitReader | undefined {
  if (image.kind === "surface") {
    const surface = source.surface(image.surfaceId);
    if (surface?.format !== SurfaceFmt.A1) return undefined;
    return { width: surface.width, height: surface.height, read: (...args) => readRow(surface, ...args) };
  }
  if (image.kind !== "bitmap") return undefined;
  const { format, width, height, stride, topDown, data } = image;
  if (format !== BitmapFmt.Bit1Be && format !== BitmapFmt.Bit1Le) return undefined;
  const bytes = source.data;
  const row = (width + 7) >>> 3;
  if (width < 1 || height < 1 || stride < row || (height - 1) * stride + row > data.length) return undefined;
  if (data.offset < 0 || data.offset + data.length > bytes.length) return undefined;
  return {
    width,
    height,
    read(x, y, count, out) {
      const memoryRow = topDown ? y : height - 1 - y;
      readIndices(bytes, data.offset + memoryRow * stride, x, count, format, out);
    },
  };
}

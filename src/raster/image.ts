import type { RedBitmap, RedImage } from "../protocol/red-command.ts";
import { CONVERT_COST, INDEX_COST, READ_COST } from "./costs.ts";
import {
  BitmapFmt,
  SurfaceFmt,
  bitmapBits,
  rowFromArgb,
  rowToArgb,
  surfaceBits,
  surfaceFormatOfBitmap,
} from "./formats.ts";
import { MAX_RASTER_SIDE } from "./limits.ts";
import type { KeptRow, RasterPicture, RasterSource, RasterSurface } from "./surface.ts";
import { isSameSurface, readRow } from "./surface.ts";

/** A picture to draw from, whatever it is made of. */
export interface ImageReader {
  readonly width: number;
  readonly height: number;
  /** SpiceSurfaceFmt of the raw pixels that {@link read} gives. */
  readonly format: number;
  /** Cost units of a pixel that is read, and of a row beside its pixels. */
  readonly pixelCost: number;
  readonly rowCost: number;
  /** Raw pixels (x .. x + count, y), all inside the picture. */
  read(x: number, y: number, count: number, out: Uint32Array): void;
  /** The same pixels in place, where they need no conversion: rows for whole-row copies. */
  readonly surface?: RasterSurface;
}

/**
 * Opens an image as a source for `target`. Without `original` its pixels are converted to the target's kind of pixels; with it
 * (for blending) they keep their own, so that no alpha is lost. Pixels of the same width are never converted, and palette
 * entries are pixels of the target, as in the reference. Undefined: there is no such surface, or the picture is broken.
 */
export function openImage(
  image: RedImage,
  target: RasterSurface,
  source: RasterSource,
  original = false,
): ImageReader | undefined {
  switch (image.kind) {
    case "surface": {
      const surface = source.surface(image.surfaceId);
      if (surface === undefined) return undefined;
      if (isSameSurface(surface, target)) return openOwn(surface, source.kept);
      return openSurface(surface, target, original);
    }
    case "bitmap":
      return openBitmap(image, target, source.data, original);
    case "quic": {
      const picture = source.picture?.(image);
      return picture && openPicture(picture, target, original);
    }
  }
}

function openSurface(surface: RasterSurface, target: RasterSurface, original: boolean): ImageReader {
  const { width, height, format } = surface;
  if (original || surfaceBits(format) === surfaceBits(target.format)) {
    return {
      width,
      height,
      format,
      pixelCost: READ_COST,
      rowCost: 0,
      surface,
      read: (x, y, count, out) => readRow(surface, x, y, count, out),
    };
  }
  return {
    width,
    height,
    format: target.format,
    pixelCost: READ_COST + CONVERT_COST,
    rowCost: 0,
    read(x, y, count, out) {
      readRow(surface, x, y, count, out);
      rowToArgb(out, count, format);
      rowFromArgb(out, count, target.format);
    },
  };
}

/** The target itself: a whole row is read before any of its pixels is asked for, since the row may be the one that is written. */
function openOwn(surface: RasterSurface, kept: KeptRow | undefined): ImageReader {
  const { width, height, format } = surface;
  const row = new Uint32Array(width);
  let rowOf = -1;
  return {
    width,
    height,
    format,
    pixelCost: READ_COST,
    rowCost: width * READ_COST,
    read(x, y, count, out) {
      if (y !== rowOf) {
        if (y === kept?.y) row.set(kept.pixels);
        else readRow(surface, 0, y, width, row);
      }
      rowOf = y;
      for (let i = 0; i < count; i++) out[i] = row[x + i];
    },
  };
}

function openPicture(
  picture: RasterPicture,
  target: RasterSurface,
  original: boolean,
): ImageReader | undefined {
  const { bytes, width, height, format, stride, topDown } = picture;
  const asSurface = surfaceFormatOfBitmap(format);
  if (!fits(picture, bytes.length - picture.offset)) return undefined;
  const offset = topDown ? picture.offset : picture.offset + (height - 1) * stride;
  const rowStride = topDown ? stride : -stride;
  if (asSurface !== undefined) {
    const surface = { bytes, offset, stride: rowStride, width, height, format: asSurface };
    // 16 bit bitmaps are 555; a 565 surface is of the same width but not of the same kind.
    if (original || asSurface === target.format || surfaceBits(asSurface) === 32) {
      return openSurface(surface, target, original);
    }
    return converted(openSurface(surface, surface, true), target.format);
  }
  const reader: ImageReader = {
    width,
    height,
    format: SurfaceFmt.Xrgb32,
    pixelCost: 2 * READ_COST,
    rowCost: 0,
    read(x, y, count, out) {
      for (let i = 0, at = offset + y * rowStride + 3 * x; i < count; i++, at += 3) {
        out[i] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
      }
    },
  };
  return original || surfaceBits(target.format) === 32 ? reader : converted(reader, target.format);
}

function converted(reader: ImageReader, format: number): ImageReader {
  return {
    width: reader.width,
    height: reader.height,
    format,
    pixelCost: reader.pixelCost + CONVERT_COST,
    rowCost: reader.rowCost,
    read(x, y, count, out) {
      reader.read(x, y, count, out);
      rowToArgb(out, count, reader.format);
      rowFromArgb(out, count, format);
    },
  };
}

function fits(picture: Omit<RasterPicture, "bytes" | "offset" | "topDown">, length: number): boolean {
  const { width, height, stride, format } = picture;
  const bits = bitmapBits(format);
  if (bits === 0 || width < 1 || height < 1 || width > MAX_RASTER_SIDE || height > MAX_RASTER_SIDE)
    return false;
  const row = Math.ceil((width * bits) / 8);
  return stride >= row && (height - 1) * stride + row <= length;
}

function openBitmap(
  bitmap: RedBitmap,
  target: RasterSurface,
  data: Uint8Array,
  original: boolean,
): ImageReader | undefined {
  const { offset, length } = bitmap.data;
  if (offset < 0 || length < 0 || offset + length > data.length) return undefined;
  if (!fits(bitmap, length)) return undefined;
  if (bitmap.format <= BitmapFmt.Bit8) return openIndexed(bitmap, target, data);
  const { format, width, height, stride, topDown } = bitmap;
  return openPicture({ bytes: data, offset, format, width, height, stride, topDown }, target, original);
}

/** 1, 4 and 8 bit bitmaps: indices below `entries.length` give the entry, others 0. */
function openIndexed(bitmap: RedBitmap, target: RasterSurface, data: Uint8Array): ImageReader {
  const { width, height, stride, topDown, format } = bitmap;
  const entries = new Uint32Array(256);
  for (const [i, entry] of (bitmap.palette?.entries ?? []).slice(0, 256).entries()) entries[i] = entry;
  const first = topDown ? bitmap.data.offset : bitmap.data.offset + (height - 1) * stride;
  const rowStride = topDown ? stride : -stride;
  return {
    width,
    height,
    format: target.format === SurfaceFmt.Argb32 ? SurfaceFmt.Xrgb32 : target.format,
    pixelCost: INDEX_COST,
    rowCost: 0,
    read(x, y, count, out) {
      readIndices(data, first + y * rowStride, x, count, format, out);
      for (let i = 0; i < count; i++) out[i] = entries[out[i]];
    },
  };
}

/** Palette indices, or bits of a mask, of the row that begins at byte `row`. */
export function readIndices(
  data: Uint8Array,
  row: number,
  x: number,
  count: number,
  format: number,
  out: Uint32Array,
): void {
  switch (format) {
    case BitmapFmt.Bit1Le:
      for (let i = 0, p = x; i < count; i++, p++) out[i] = (data[row + (p >> 3)] >> (p & 7)) & 1;
      return;
    case BitmapFmt.Bit1Be:
      for (let i = 0, p = x; i < count; i++, p++) out[i] = (data[row + (p >> 3)] >> (~p & 7)) & 1;
      return;
    case BitmapFmt.Bit4Le:
      for (let i = 0, p = x; i < count; i++, p++) out[i] = (data[row + (p >> 1)] >> ((p & 1) << 2)) & 15;
      return;
    case BitmapFmt.Bit4Be:
      for (let i = 0, p = x; i < count; i++, p++) out[i] = (data[row + (p >> 1)] >> ((~p & 1) << 2)) & 15;
      return;
    default:
      for (let i = 0; i < count; i++) out[i] = data[row + x + i];
  }
}

import type { Rect, RedQuicImage } from "../protocol/red-command.ts";
import { SurfaceFmt, surfaceBits } from "./formats.ts";
import { MAX_RASTER_SIDE } from "./limits.ts";

/** Pixels somewhere in plain memory. The caller vouches that every row lies inside `bytes`; see {@link isValidSurface}. */
export interface RasterSurface {
  /** The memory that holds it: as it is now, for it may move while a drawing is laid aside. */
  readonly bytes: Uint8Array;
  /** Byte in `bytes` of the top-left pixel. */
  readonly offset: number;
  /** Bytes from a row to the one below it: negative when memory holds the bottom row first. */
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  /** SpiceSurfaceFmt: 1, 8, 16, 80, 32 or 96. */
  readonly format: number;
}

/** A decoded picture: as a RasterSurface, but of a SpiceBitmapFmt and always top-down by its stride's sign. */
export interface RasterPicture {
  readonly bytes: Uint8Array;
  /** Byte in `bytes` of the first row in memory. */
  readonly offset: number;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  /** SpiceBitmapFmt without palette: 6..10. */
  readonly format: number;
  readonly topDown: boolean;
}

/** Where a drawable finds its operands. */
export interface RasterSource {
  /** The batch data of a RedCommandBatch: what DataSpans point into. */
  readonly data: Uint8Array;
  surface(id: number): RasterSurface | undefined;
  /**
   * Decodes a QUIC image of the guest, row by row: yields the pixels done since the last time. Undefined when it is broken. Without a
   * decoder such images are not drawn.
   */
  quic?(image: RedQuicImage, stream: Uint8Array): Generator<number, RasterPicture | undefined>;
  /** The images that are decoded already, for the drawing that needs them. */
  picture?(image: RedQuicImage): RasterPicture | undefined;
  /** A row of the target as it was, for a drawing that reads what it writes. */
  readonly kept?: KeptRow;
}

/** Raw pixels of a surface's whole row. */
export interface KeptRow {
  readonly y: number;
  readonly pixels: Uint32Array;
}

/** Whether the format is known, the size within the limits, and every row inside `bytes`. */
export function isValidSurface(surface: RasterSurface): boolean {
  const { bytes, offset, stride, width, height, format } = surface;
  const bits = surfaceBits(format);
  if (![offset, stride, width, height].every((number) => Number.isSafeInteger(number))) return false;
  if (bits === 0 || width < 1 || height < 1 || width > MAX_RASTER_SIDE || height > MAX_RASTER_SIDE)
    return false;
  const row = Math.ceil((width * bits) / 8);
  const last = offset + (height - 1) * stride;
  return (
    Math.abs(stride) >= row && Math.min(offset, last) >= 0 && Math.max(offset, last) + row <= bytes.length
  );
}

/** Whole bytes of a pixel; 0 for 1 bit. */
export function pixelBytes(surface: RasterSurface): number {
  return surfaceBits(surface.format) >> 3;
}

export function surfaceBounds({ width, height }: { readonly width: number; readonly height: number }): Rect {
  return { top: 0, left: 0, bottom: height, right: width };
}

/** Whether a write to one may change the other. */
export function sharesMemory(a: RasterSurface, b: RasterSurface): boolean {
  if (a.bytes.buffer !== b.bytes.buffer) return false;
  const [aStart, aEnd] = memoryRange(a);
  const [bStart, bEnd] = memoryRange(b);
  return aStart < bEnd && bStart < aEnd;
}

/** Whether both are the same pixels in the same place. */
export function isSameSurface(a: RasterSurface, b: RasterSurface): boolean {
  return (
    a.bytes.buffer === b.bytes.buffer &&
    a.bytes.byteOffset + a.offset === b.bytes.byteOffset + b.offset &&
    a.stride === b.stride &&
    a.width === b.width &&
    a.height === b.height &&
    a.format === b.format
  );
}

function memoryRange({ bytes, offset, stride, height, width, format }: RasterSurface): [number, number] {
  const first = bytes.byteOffset + offset;
  const last = first + (height - 1) * stride;
  return [Math.min(first, last), Math.max(first, last) + Math.ceil((width * surfaceBits(format)) / 8)];
}

/** A view of a whole buffer, kept because operations come by the thousand and buffers seldom change. */
let cachedBuffer: ArrayBufferLike | undefined;
let cachedWords: Uint32Array = new Uint32Array(0);

/** The surface's memory as 32 bit words when its pixels are aligned words; index with {@link wordIndex}. */
export function surfaceWords(surface: RasterSurface): Uint32Array | undefined {
  const { bytes, offset, stride } = surface;
  if (surfaceBits(surface.format) !== 32 || ((bytes.byteOffset + offset) | stride) & 3) return undefined;
  const { buffer } = bytes;
  if (buffer !== cachedBuffer || cachedWords.length !== buffer.byteLength >>> 2) {
    cachedBuffer = buffer;
    cachedWords = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  }
  return cachedWords;
}

/** Index of a pixel in {@link surfaceWords}. */
export function wordIndex(surface: RasterSurface, x: number, y: number): number {
  return ((surface.bytes.byteOffset + surface.offset + y * surface.stride) >>> 2) + x;
}

/** Copies the raw pixels (x .. x + count, y) into `out`. */
export function readRow(surface: RasterSurface, x: number, y: number, count: number, out: Uint32Array): void {
  const words = surfaceWords(surface);
  if (words !== undefined) {
    const start = wordIndex(surface, x, y);
    for (let i = 0; i < count; i++) out[i] = words[start + i];
    return;
  }
  const { bytes } = surface;
  const row = surface.offset + y * surface.stride;
  switch (surface.format) {
    case SurfaceFmt.A1:
      for (let i = 0; i < count; i++) out[i] = (bytes[row + ((x + i) >> 3)] >> ((x + i) & 7)) & 1;
      return;
    case SurfaceFmt.A8:
      for (let i = 0; i < count; i++) out[i] = bytes[row + x + i];
      return;
    case SurfaceFmt.Rgb555:
    case SurfaceFmt.Rgb565:
      for (let i = 0, at = row + 2 * x; i < count; i++, at += 2) out[i] = bytes[at] | (bytes[at + 1] << 8);
      return;
    default:
      for (let i = 0, at = row + 4 * x; i < count; i++, at += 4) {
        out[i] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      }
  }
}

/** Writes raw pixels to (x .. x + count, y); bits above a pixel's width are ignored. */
export function writeRow(
  surface: RasterSurface,
  x: number,
  y: number,
  count: number,
  row: Uint32Array,
): void {
  const words = surfaceWords(surface);
  if (words !== undefined) {
    const start = wordIndex(surface, x, y);
    for (let i = 0; i < count; i++) words[start + i] = row[i];
    return;
  }
  const { bytes } = surface;
  const start = surface.offset + y * surface.stride;
  switch (surface.format) {
    case SurfaceFmt.A1:
      for (let i = 0; i < count; i++) {
        const at = start + ((x + i) >> 3);
        const bit = 1 << ((x + i) & 7);
        bytes[at] = row[i] & 1 ? bytes[at] | bit : bytes[at] & ~bit;
      }
      return;
    case SurfaceFmt.A8:
      for (let i = 0; i < count; i++) bytes[start + x + i] = row[i];
      return;
    case SurfaceFmt.Rgb555:
    case SurfaceFmt.Rgb565:
      for (let i = 0, at = start + 2 * x; i < count; i++, at += 2) {
        bytes[at] = row[i];
        bytes[at + 1] = row[i] >> 8;
      }
      return;
    default:
      for (let i = 0, at = start + 4 * x; i < count; i++, at += 4) {
        bytes[at] = row[i];
        bytes[at + 1] = row[i] >> 8;
        bytes[at + 2] = row[i] >> 16;
        bytes[at + 3] = row[i] >> 24;
      }
  }
}

import type { Rect, RedImage } from "../protocol/red-command.ts";
import { WRITE_COST } from "./costs.ts";
import type { DrawContext } from "./draw-context.ts";
import { narrowed, painter } from "./draw-context.ts";
import type { RowReader } from "./fill.ts";
import { movesAsBytes, paintRows } from "./fill.ts";
import type { ImageReader } from "./image.ts";
import { openImage } from "./image.ts";
import type { Painter } from "./painter.ts";
import { Rop } from "./rop.ts";
import type { ScaleAxis } from "./scale.ts";
import { scaleAxis, scaledReader } from "./scale.ts";
import type { RasterSurface } from "./surface.ts";
import { pixelBytes, surfaceWords, wordIndex } from "./surface.ts";

/** Rows up to this many pixels are moved in a loop: for so few, making two views costs more than copying. */
const SHORT_ROW = 24;

/** A picture placed on the target: its pixel (x, y) is the target pixel (x + dx, y + dy). */
export interface PlacedImage {
  readonly reader: ImageReader;
  readonly dx: number;
  readonly dy: number;
  /** The target pixels it covers. */
  readonly bounds: Rect;
}

/** Puts `srcArea` of a picture on the bounding box, unscaled when both are of one size. */
export function placeImage(
  context: DrawContext,
  reader: ImageReader,
  srcArea: Rect,
  scaleMode: number,
  format: number,
  axis: (origin: number, length: number, destLength: number) => ScaleAxis = scaleAxis,
): PlacedImage | undefined {
  const { bbox } = context;
  const width = bbox.right - bbox.left;
  const height = bbox.bottom - bbox.top;
  const sourceWidth = srcArea.right - srcArea.left;
  const sourceHeight = srcArea.bottom - srcArea.top;
  if (width === sourceWidth && height === sourceHeight) {
    return place(reader, bbox.left - srcArea.left, bbox.top - srcArea.top);
  }
  if (sourceWidth < 1 || sourceHeight < 1) return undefined;
  const horizontal = axis(srcArea.left, sourceWidth, width);
  const vertical = axis(srcArea.top, sourceHeight, height);
  return place(
    scaledReader(reader, horizontal, vertical, width, height, scaleMode, format),
    bbox.left,
    bbox.top,
  );
}

function place(reader: ImageReader, dx: number, dy: number): PlacedImage {
  const bounds = { top: dy, left: dx, bottom: dy + reader.height, right: dx + reader.width };
  return { reader, dx, dy, bounds };
}

/** COPY and BLEND, which are the same in the reference. Target pixels without a source pixel stay as they are. */
export function drawCopy(
  context: DrawContext,
  image: RedImage,
  srcArea: Rect,
  scaleMode: number,
  rop: Rop,
): Painter | undefined {
  if (rop === Rop.NOOP) return undefined;
  const { target } = context;
  const reader = openImage(image, target, context.source);
  if (reader === undefined) return undefined;
  const placed = placeImage(
    context,
    reader,
    srcArea,
    scaleMode,
    rop === Rop.COPY ? target.format : reader.format,
  );
  const within = placed && narrowed(context, placed.bounds);
  if (placed === undefined || within === undefined) return undefined;
  const { dx, dy } = placed;
  const from = placed.reader.surface;
  if (rop === Rop.COPY && from !== undefined && context.mask === undefined && movesAsBytes(from, target)) {
    return painter(within, WRITE_COST, 0, (boxes, first, last, top, bottom) => {
      for (let i = first; i < last; i += 4) {
        moveBox(target, from, boxes[i], top, boxes[i + 2] - boxes[i], bottom - top, dx, dy);
      }
    });
  }
  return paintRows(within, rop, placedReader(placed));
}

/** Reads the picture where it is placed. */
export function placedReader({ reader, dx, dy }: PlacedImage): RowReader {
  const { pixelCost, rowCost } = reader;
  return { pixelCost, rowCost, read: (x, y, count, out) => reader.read(x - dx, y - dy, count, out) };
}

/** Copies a box between surfaces with pixels of one width and no memory in common. */
function moveBox(
  target: RasterSurface,
  from: RasterSurface,
  x: number,
  y: number,
  width: number,
  height: number,
  dx: number,
  dy: number,
): void {
  const pixel = pixelBytes(target);
  const row = width * pixel;
  const { bytes } = target;
  const source = from.bytes;
  let to = target.offset + y * target.stride + x * pixel;
  let at = from.offset + (y - dy) * from.stride + (x - dx) * pixel;
  if (row === target.stride && row === from.stride) {
    bytes.set(source.subarray(at, at + row * height), to);
    return;
  }
  const words = width <= SHORT_ROW ? surfaceWords(target) : undefined;
  if (words !== undefined && pixel === 4) {
    moveShortRows(target, words, from, x, y, width, height, at);
    return;
  }
  for (let n = 0; n < height; n++) {
    bytes.set(source.subarray(at, at + row), to);
    to += target.stride;
    at += from.stride;
  }
}

function moveShortRows(
  target: RasterSurface,
  words: Uint32Array,
  from: RasterSurface,
  x: number,
  y: number,
  width: number,
  height: number,
  at: number,
): void {
  const { bytes, stride } = from;
  const rowWords = target.stride >> 2;
  let start = wordIndex(target, x, y);
  for (let n = 0; n < height; n++, at += stride, start += rowWords) {
    for (let i = 0, b = at; i < width; i++, b += 4) {
      words[start + i] = bytes[b] | (bytes[b + 1] << 8) | (bytes[b + 2] << 16) | (bytes[b + 3] << 24);
    }
  }
}

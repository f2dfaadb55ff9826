import { CursorType } from "../../protocol/index.ts";
import type { RedCursorShape } from "../../protocol/red-command.ts";
import { MAX_CURSOR_SIDE } from "../../protocol/limits.ts";
import { RedCommandError } from "../red-error.ts";

/** A cursor shape that owns its bytes: what SET and INIT carry. */
export interface CursorShape {
  /** The guest's id for caching; 0 is never cached. */
  readonly unique: bigint;
  /** SpiceCursorType. */
  readonly type: number;
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  /** Exactly the bytes that type and size ask for. */
  readonly data: Uint8Array;
}

/** Bits per pixel of the colour plane; ALPHA has no mask plane, MONO has two planes of one bit. */
const planeBits = [32, 1, 4, 8, 16, 24, 32];
const paletteEntries = [0, 0, 16, 256, 0, 0, 0];

function planeBytes(type: number, width: number, height: number): number {
  return ((width * planeBits[type] + 7) >> 3) * height;
}

/** Bytes of the data of a shape: colour plane, palette if any, then the 1 bit AND mask of all types but ALPHA. */
export function cursorDataBytes(type: number, width: number, height: number): number {
  const mask = type === CursorType.Alpha ? 0 : planeBytes(CursorType.Mono, width, height);
  return planeBytes(type, width, height) + 4 * paletteEntries[type] + mask;
}

/**
 * Checks the guest's shape and takes its bytes out of the batch.
 * @throws RedCommandError if type or size is impossible or the data is too short.
 */
export function takeCursorShape(shape: RedCursorShape, batch: Uint8Array): CursorShape {
  const { unique, cursorType: type, width, height, hotX, hotY, data } = shape;
  if (planeBits[type] === undefined) throw new RedCommandError(`cursor type ${type} is unknown`);
  if (width < 1 || height < 1 || width > MAX_CURSOR_SIDE || height > MAX_CURSOR_SIDE)
    throw new RedCommandError(
      `cursor of ${width} x ${height} pixels; at most ${MAX_CURSOR_SIDE} are allowed`,
    );
  const length = cursorDataBytes(type, width, height);
  if (data.length < length || data.offset < 0 || data.offset + length > batch.length)
    throw new RedCommandError(`cursor data has ${data.length} bytes, its type and size need ${length}`);
  return { unique, type, width, height, hotX, hotY, data: batch.slice(data.offset, data.offset + length) };
}

/** The shape as straight (not premultiplied) RGBA for a canvas. Pixels that would invert the screen become black. */
export function cursorToRgba(shape: CursorShape): Uint8ClampedArray<ArrayBuffer> {
  const { type, width, height, data } = shape;
  const out = new Uint8ClampedArray(width * height * 4);
  const plane = planeBytes(type, width, height);
  const row = plane / height;
  const maskAt = type === CursorType.Mono ? 0 : plane + 4 * paletteEntries[type];
  const maskRow = (width + 7) >> 3;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      if (type === CursorType.Alpha) {
        putPremultiplied(out, at, view.getUint32(y * row + 4 * x, true));
        continue;
      }
      const masked = ((data[maskAt + y * maskRow + (x >> 3)] >> (7 - (x & 7))) & 1) === 1;
      const color =
        type === CursorType.Mono
          ? monoColor(data, plane, y * row, x)
          : readColor(view, type, plane, y * row, x);
      if (masked && color === 0) continue;
      out[at] = masked ? 0 : color >> 16;
      out[at + 1] = masked ? 0 : (color >> 8) & 0xff;
      out[at + 2] = masked ? 0 : color & 0xff;
      out[at + 3] = 255;
    }
  }
  return out;
}

function putPremultiplied(out: Uint8ClampedArray, at: number, pixel: number): void {
  const alpha = pixel >>> 24;
  if (alpha === 0) return;
  out[at] = (((pixel >> 16) & 0xff) * 255) / alpha;
  out[at + 1] = (((pixel >> 8) & 0xff) * 255) / alpha;
  out[at + 2] = ((pixel & 0xff) * 255) / alpha;
  out[at + 3] = alpha;
}

/** MONO: the XOR plane follows the AND plane. */
function monoColor(data: Uint8Array, plane: number, row: number, x: number): number {
  return ((data[plane + row + (x >> 3)] >> (7 - (x & 7))) & 1) * 0xffffff;
}

/** Colour of a pixel as 0x00RRGGBB; palettes lie behind the plane. */
function readColor(view: DataView, type: number, plane: number, row: number, x: number): number {
  switch (type) {
    case CursorType.Color4: {
      const pair = view.getUint8(row + (x >> 1));
      return view.getUint32(plane + 4 * ((x & 1) === 0 ? pair >> 4 : pair & 15), true) & 0xffffff;
    }
    case CursorType.Color8:
      return view.getUint32(plane + 4 * view.getUint8(row + x), true) & 0xffffff;
    case CursorType.Color16: {
      const pixel = view.getUint16(row + 2 * x, true);
      return ((pixel & 0x7c00) << 9) | ((pixel & 0x3e0) << 6) | ((pixel & 0x1f) << 3);
    }
    case CursorType.Color24:
      return view.getUint16(row + 3 * x, true) | (view.getUint8(row + 3 * x + 2) << 16);
    default:
      return view.getUint32(row + 4 * x, true) & 0xffffff;
  }
}

/** Shapes that were turned into ALPHA: once for all clients, as long as the shape lives. */
const alphaShapes = new WeakMap<CursorShape, CursorShape>();

/** The same shape as type ALPHA (premultiplied BGRA), for clients that know no other. */
export function toAlphaShape(shape: CursorShape): CursorShape {
  if (shape.type === CursorType.Alpha) return shape;
  let alpha = alphaShapes.get(shape);
  if (alpha === undefined) {
    alpha = makeAlphaShape(shape);
    alphaShapes.set(shape, alpha);
  }
  return alpha;
}

function makeAlphaShape(shape: CursorShape): CursorShape {
  const rgba = cursorToRgba(shape);
  const data = new Uint8Array(rgba.length);
  // Pixels are opaque or clear here, so premultiplying changes nothing.
  for (let at = 0; at < rgba.length; at += 4) {
    data[at] = rgba[at + 2];
    data[at + 1] = rgba[at + 1];
    data[at + 2] = rgba[at];
    data[at + 3] = rgba[at + 3];
  }
  return { ...shape, type: CursorType.Alpha, data };
}

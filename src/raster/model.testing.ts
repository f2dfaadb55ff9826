/** A rasteriser that does one pixel at a time, to hold the real one to. */
import type { Rect } from "../protocol/red-command.ts";
import { surfaceBits } from "./formats.ts";
import type { RasterSurface } from "./surface.ts";

/** A surface of its own memory, filled with noise; `bottomUp` and `shift` choose how it lies there. */
export function makeSurface(
  width: number,
  height: number,
  format: number,
  { bottomUp = false, shift = 0, pad = 0, seed = 1 } = {},
): RasterSurface {
  const row = Math.ceil((width * surfaceBits(format)) / 8);
  const stride = Math.ceil(row / 4) * 4 + pad;
  const bytes = new Uint8Array(shift + stride * height + 16);
  let state = seed;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  const offset = shift + (bottomUp ? (height - 1) * stride : 0);
  return { bytes, offset, stride: bottomUp ? -stride : stride, width, height, format };
}

export function cloneSurface(surface: RasterSurface): RasterSurface {
  return { ...surface, bytes: surface.bytes.slice() };
}

/** Raw pixel. */
export function getPixel({ bytes, offset, stride, format }: RasterSurface, x: number, y: number): number {
  const row = offset + y * stride;
  const bits = surfaceBits(format);
  if (bits === 1) return (bytes[row + (x >> 3)] >> (x & 7)) & 1;
  let value = 0;
  for (let i = 0; i < bits / 8; i++) value += bytes[row + (x * bits) / 8 + i] * 2 ** (8 * i);
  return value;
}

export function setPixel(
  { bytes, offset, stride, format }: RasterSurface,
  x: number,
  y: number,
  value: number,
): void {
  const row = offset + y * stride;
  const bits = surfaceBits(format);
  if (bits === 1) {
    const at = row + (x >> 3);
    bytes[at] = value & 1 ? bytes[at] | (1 << (x & 7)) : bytes[at] & ~(1 << (x & 7));
    return;
  }
  for (let i = 0; i < bits / 8; i++) bytes[row + (x * bits) / 8 + i] = Math.floor(value / 2 ** (8 * i));
}

export function inside(rects: readonly Rect[], x: number, y: number): boolean {
  return rects.some(({ top, left, bottom, right }) => x >= left && x < right && y >= top && y < bottom);
}

/** Calls for each pixel of a surface that lies in the box and, if there is one, in the clip. */
export function forEachPixel(
  surface: RasterSurface,
  bbox: Rect,
  clip: readonly Rect[] | undefined,
  draw: (x: number, y: number) => void,
): void {
  for (let y = 0; y < surface.height; y++) {
    for (let x = 0; x < surface.width; x++) {
      if (inside([bbox], x, y) && (clip === undefined || inside(clip, x, y))) draw(x, y);
    }
  }
}

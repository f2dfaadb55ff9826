import { CONVERT_COST, INTERPOLATE_COST, NEAREST_COST } from "./costs.ts";
import { rowFromArgb, rowToArgb } from "./formats.ts";
import type { ImageReader } from "./image.ts";

/** SpiceImageScaleMode. */
export const ScaleMode = { INTERPOLATE: 0, NEAREST: 1 } as const;

/** One axis of a scaling in 16.16 fixed point: destination pixel `i` has its centre at `start + i * step` of the source. */
export interface ScaleAxis {
  readonly start: number;
  readonly step: number;
}

/** `length` pixels from `origin` onwards drawn over `destLength` pixels: pixman's transform, with its rounding. */
export function scaleAxis(origin: number, length: number, destLength: number): ScaleAxis {
  const step = Math.trunc((length * 65_536) / destLength);
  return { step, start: origin * 65_536 + roundHalf(step) };
}

/**
 * The same for ROP3, which the reference scales by another way: the step comes from a floating point number, and the origin is
 * rounded to whole destination pixels.
 */
export function scaleAxisRop3(origin: number, length: number, destLength: number): ScaleAxis {
  const ratio = length / destLength;
  const step = Math.trunc(ratio * 65_536);
  return { step, start: Math.floor(origin / ratio + 0.5) * step + roundHalf(step) };
}

/** The source's row of a row of the result: the nearest, or the upper one of the two that it lies between. */
export function nearestRow({ start, step }: ScaleAxis, y: number): number {
  // The smallest fixed point number less: a centre exactly between two pixels takes the upper one.
  return Math.floor((start + y * step - 1) / 65_536);
}

export function interpolatedRow({ start, step }: ScaleAxis, y: number): number {
  return Math.floor((start + y * step - 32_768) / 65_536);
}

/** Half a step, rounded up as pixman rounds its 32.32 products. */
function roundHalf(step: number): number {
  return Math.floor((step + 1) / 2);
}

/**
 * A picture `width` x `height` pixels large, scaled from `reader`. Beyond the source lies transparent black, which also bleeds
 * into the edges when interpolating (pixman's REPEAT_NONE). Interpolation has seven bits of weight, as pixman's. The result's
 * pixels are of `format`, a SpiceSurfaceFmt.
 */
export function scaledReader(
  reader: ImageReader,
  horizontal: ScaleAxis,
  vertical: ScaleAxis,
  width: number,
  height: number,
  mode: number,
  format: number,
): ImageReader {
  return mode === ScaleMode.NEAREST
    ? nearestReader(reader, horizontal, vertical, width, height, format)
    : bilinearReader(reader, horizontal, vertical, width, height, format);
}

/** A whole row of the source that is read and converted for each of the result's rows. */
function sourceRowCost({ width, pixelCost, rowCost }: ImageReader): number {
  return width * (pixelCost + CONVERT_COST) + rowCost;
}

function nearestReader(
  reader: ImageReader,
  horizontal: ScaleAxis,
  vertical: ScaleAxis,
  width: number,
  height: number,
  format: number,
): ImageReader {
  const row = new Uint32Array(reader.width);
  let rowOf = -1;
  return {
    width,
    height,
    format,
    pixelCost: NEAREST_COST,
    rowCost: sourceRowCost(reader),
    read(x, y, count, out) {
      const sourceY = nearestRow(vertical, y);
      if (sourceY < 0 || sourceY >= reader.height) {
        out.fill(0, 0, count);
        return;
      }
      if (sourceY !== rowOf) {
        reader.read(0, sourceY, reader.width, row);
        if (format !== reader.format) {
          rowToArgb(row, reader.width, reader.format);
          rowFromArgb(row, reader.width, format);
        }
      }
      rowOf = sourceY;
      for (let i = 0; i < count; i++) {
        const sourceX = Math.floor((horizontal.start + (x + i) * horizontal.step - 1) / 65_536);
        out[i] = sourceX >= 0 && sourceX < reader.width ? row[sourceX] : 0;
      }
    },
  };
}

/** The two source rows that a destination row lies between, as 0xAARRGGBB; -1 is no row. */
class RowPair {
  readonly #reader: ImageReader;
  #upper: Uint32Array;
  #lower: Uint32Array;
  #upperOf = -2;
  #lowerOf = -2;

  constructor(reader: ImageReader) {
    this.#reader = reader;
    // One transparent pixel before and behind each row.
    this.#upper = new Uint32Array(reader.width + 2);
    this.#lower = new Uint32Array(reader.width + 2);
  }

  get(y: number): readonly [Uint32Array, Uint32Array] {
    if (y === this.#lowerOf) {
      [this.#upper, this.#lower] = [this.#lower, this.#upper];
      this.#upperOf = y;
      this.#lowerOf = -2;
    }
    if (y !== this.#upperOf) this.#load(this.#upper, y);
    if (y + 1 !== this.#lowerOf) this.#load(this.#lower, y + 1);
    this.#upperOf = y;
    this.#lowerOf = y + 1;
    return [this.#upper, this.#lower];
  }

  #load(row: Uint32Array, y: number): void {
    const { width, height, format } = this.#reader;
    row.fill(0);
    if (y < 0 || y >= height) return;
    const inner = row.subarray(1, 1 + width);
    this.#reader.read(0, y, width, inner);
    rowToArgb(inner, width, format);
  }
}

function bilinearReader(
  reader: ImageReader,
  horizontal: ScaleAxis,
  vertical: ScaleAxis,
  width: number,
  height: number,
  format: number,
): ImageReader {
  const rows = new RowPair(reader);
  return {
    width,
    height,
    format,
    pixelCost: INTERPOLATE_COST,
    rowCost: 2 * sourceRowCost(reader),
    read(x, y, count, out) {
      const atY = vertical.start + y * vertical.step - 32_768;
      const sourceY = interpolatedRow(vertical, y);
      if (sourceY < -1 || sourceY >= reader.height) {
        out.fill(0, 0, count);
        return;
      }
      const [upper, lower] = rows.get(sourceY);
      const weightY = ((atY - sourceY * 65_536) >> 9) & 127;
      for (let i = 0; i < count; i++) {
        const atX = horizontal.start + (x + i) * horizontal.step - 32_768;
        const sourceX = Math.floor(atX / 65_536);
        if (sourceX < -1 || sourceX >= reader.width) {
          out[i] = 0;
          continue;
        }
        const weightX = ((atX - sourceX * 65_536) >> 9) & 127;
        out[i] = interpolate(
          upper[sourceX + 1],
          upper[sourceX + 2],
          lower[sourceX + 1],
          lower[sourceX + 2],
          weightX,
          weightY,
        );
      }
      rowFromArgb(out, count, format);
    },
  };
}

/** Four pixels 0xAARRGGBB weighed by two numbers 0..127; the fraction is cut off. */
function interpolate(
  topLeft: number,
  topRight: number,
  bottomLeft: number,
  bottomRight: number,
  weightX: number,
  weightY: number,
): number {
  const bottomRightWeight = weightX * weightY;
  const topRightWeight = (weightX << 7) - bottomRightWeight;
  const bottomLeftWeight = (weightY << 7) - bottomRightWeight;
  const topLeftWeight = 16_384 - (weightX << 7) - bottomLeftWeight;
  let pixel = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const sum =
      ((topLeft >>> shift) & 255) * topLeftWeight +
      ((topRight >>> shift) & 255) * topRightWeight +
      ((bottomLeft >>> shift) & 255) * bottomLeftWeight +
      ((bottomRight >>> shift) & 255) * bottomRightWeight;
    pixel |= (sum >> 14) << shift;
  }
  return pixel;
}

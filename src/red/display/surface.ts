import type { ImageSource, SurfaceHeap } from "../../image/index.ts";
import { BitmapFmt, bitsPerPixel } from "../../image/index.ts";
import type { Rect } from "../../protocol/red-command.ts";
import { SurfaceFmt, rgbFrom555, rgbFrom565, surfaceBits } from "../../raster/index.ts";
import { BYTES_PER_UNIT } from "../../raster/index.ts";
import type { CostMeter, RasterSurface, Steps } from "../../raster/index.ts";

/** Cost units of a row beside its bytes. */
const ROW_COST = 100;

/** Counts surfaces over the life of the thread, so that two with one id are told apart. */
let incarnations = 0;

/** A surface of the guest in the worker's heap: top-down rows, as the rasteriser wants them. */
export class RedSurface implements Disposable {
  readonly id: number;
  /** SpiceSurfaceFormat. */
  readonly format: number;
  readonly width: number;
  readonly height: number;
  /** Bytes between rows: a multiple of four. */
  readonly stride: number;
  /** Differs between two surfaces that had the same id one after the other. */
  readonly incarnation = ++incarnations;
  /** Bounding box of everything drawn since creation; undefined while all pixels are zero. */
  drawn: Rect | undefined;
  /** Whether a drawing on it is half done: who looks at the pixels now has to look again. */
  isUnderWay = false;
  /** Where the rasteriser draws. */
  readonly raster: RasterSurface;
  readonly #heap: SurfaceHeap;
  readonly #pointer: number;

  /** The memory is as it was found: see {@link erase}. @throws HeapLimitError */
  constructor(heap: SurfaceHeap, id: number, format: number, width: number, height: number) {
    this.#heap = heap;
    this.id = id;
    this.format = format;
    this.width = width;
    this.height = height;
    this.stride = ((width * surfaceBits(format) + 31) >>> 5) * 4;
    this.#pointer = heap.allocate(this.byteLength, false);
    this.raster = {
      // The memory moves when it grows.
      get bytes() {
        return heap.u8;
      },
      offset: this.#pointer,
      stride: this.stride,
      width,
      height,
      format,
    };
  }

  get byteLength(): number {
    return this.stride * this.height;
  }

  get bounds(): Rect {
    return { top: 0, left: 0, bottom: this.height, right: this.width };
  }

  /** Notes that `rect` was drawn on. */
  touch(rect: Rect): void {
    this.drawn =
      this.drawn === undefined
        ? { ...rect }
        : {
            top: Math.min(this.drawn.top, rect.top),
            left: Math.min(this.drawn.left, rect.left),
            bottom: Math.max(this.drawn.bottom, rect.bottom),
            right: Math.max(this.drawn.right, rect.right),
          };
  }

  /** Makes all pixels zero, as a surface begins. */
  *erase(meter: CostMeter): Steps {
    const atOnce = meter.fit(1 / BYTES_PER_UNIT);
    for (let from = 0; from < this.byteLength; from += atOnce) {
      const to = Math.min(this.byteLength, from + atOnce);
      this.#heap.u8.fill(0, this.#pointer + from, this.#pointer + to);
      meter.spend((to - from) / BYTES_PER_UNIT);
      if (meter.isSpent) yield;
    }
  }

  /** Fills the surface with top-down rows that are `stride` bytes apart; missing rows stay as they are. */
  *load(data: Uint8Array, stride: number, meter: CostMeter): Steps {
    const row = Math.min(stride, this.stride);
    this.touch(this.bounds);
    for (let y = 0; y < this.height && y * stride + row <= data.length; y++) {
      this.#heap.u8.set(data.subarray(y * stride, y * stride + row), this.#pointer + y * this.stride);
      meter.spend(ROW_COST + row / BYTES_PER_UNIT);
      if (meter.isSpent) yield;
    }
  }

  /** All pixels as 32 bit xRGB words, row by row from the top. */
  *readAll(meter: CostMeter): Steps<Uint8Array<ArrayBuffer>> {
    const { width, height } = this;
    const pixels = new Uint8Array(4 * width * height);
    const rowCost = ROW_COST + width * (this.#is32 ? 1 : 8);
    const atOnce = meter.fit(rowCost);
    for (let top = 0; top < height; top += atOnce) {
      const bottom = Math.min(height, top + atOnce);
      pixels.set(this.read32({ top, left: 0, bottom, right: width }).bytes, 4 * width * top);
      meter.spend((bottom - top) * rowCost);
      if (meter.isSpent) yield;
    }
    return pixels;
  }

  /** The pixels of `rect` in place, for an encoder that runs now; converted to 32 bits where no bitmap format is equal. */
  view(rect: Rect): ImageSource {
    const format = bitmapFormatOf(this.format);
    if (format === undefined) return this.read32(rect);
    return {
      format,
      width: rect.right - rect.left,
      height: rect.bottom - rect.top,
      stride: this.stride,
      offset: this.#pointer + rect.top * this.stride + (rect.left * bitsPerPixel(format)) / 8,
      bytes: this.#heap.u8,
      topDown: true,
    };
  }

  /** A copy of the pixels of `rect`, which later drawing does not change. */
  snapshot(rect: Rect): ImageSource {
    const view = this.view(rect);
    if (view.bytes !== this.#heap.u8) return view;
    const row = (view.width * bitsPerPixel(view.format)) / 8;
    const bytes = new Uint8Array(row * view.height);
    for (let y = 0; y < view.height; y++) {
      const at = view.offset + y * view.stride;
      bytes.set(view.bytes.subarray(at, at + row), y * row);
    }
    return { ...view, bytes, offset: 0, stride: row };
  }

  /** A copy of the pixels of `rect` as 32 bit xRGB, whatever the surface's format is. */
  read32(rect: Rect): ImageSource & { bytes: Uint8Array<ArrayBuffer> } {
    const width = rect.right - rect.left;
    const height = rect.bottom - rect.top;
    const bytes = new Uint8Array(4 * width * height);
    const out = new DataView(bytes.buffer);
    const direct = this.#is32;
    for (let y = 0; y < height; y++) {
      if (direct) {
        const at = this.#pointer + (rect.top + y) * this.stride + 4 * rect.left;
        bytes.set(this.#heap.u8.subarray(at, at + 4 * width), 4 * y * width);
        continue;
      }
      for (let x = 0; x < width; x++) {
        out.setUint32(4 * (y * width + x), this.#pixel(rect.left + x, rect.top + y), true);
      }
    }
    return { format: BitmapFmt.Bit32, width, height, stride: 4 * width, offset: 0, bytes, topDown: true };
  }

  get #is32(): boolean {
    return this.format === SurfaceFmt.Xrgb32 || this.format === SurfaceFmt.Argb32;
  }

  /** One pixel as 0x00RRGGBB; alpha surfaces as grey. */
  #pixel(x: number, y: number): number {
    const bytes = this.#heap.u8;
    const row = this.#pointer + y * this.stride;
    switch (this.format) {
      case SurfaceFmt.Rgb555:
        return rgbFrom555(bytes[row + 2 * x] | (bytes[row + 2 * x + 1] << 8));
      case SurfaceFmt.Rgb565:
        return rgbFrom565(bytes[row + 2 * x] | (bytes[row + 2 * x + 1] << 8));
      case SurfaceFmt.A8:
        return bytes[row + x] * 0x01_01_01;
      case SurfaceFmt.A1:
        return ((bytes[row + (x >> 3)] >> (x & 7)) & 1) * 0xff_ff_ff;
      default:
        return 0;
    }
  }

  [Symbol.dispose](): void {
    this.#heap.release(this.#pointer);
  }
}

/** The SpiceBitmapFmt that holds a surface's pixels as they are; undefined for 565 and A1, which no bitmap has. */
function bitmapFormatOf(surfaceFormat: number): number | undefined {
  switch (surfaceFormat) {
    case SurfaceFmt.A8:
      return BitmapFmt.Bit8A;
    case SurfaceFmt.Rgb555:
      return BitmapFmt.Bit16;
    case SurfaceFmt.Xrgb32:
      return BitmapFmt.Bit32;
    case SurfaceFmt.Argb32:
      return BitmapFmt.Rgba;
    default:
      return undefined;
  }
}

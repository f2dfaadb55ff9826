import type { RedSurfaceCreate } from "../protocol/red-command.ts";
import type { RasterSurface } from "../raster/index.ts";
import { isValidSurface, surfaceBits } from "../raster/index.ts";
import type { QxlSink } from "./bus.ts";
import type { Bank, DeviceMemory } from "./device-memory.ts";
import type { GuestResource } from "./release-list.ts";

/** A living surface in device memory. */
export interface DeviceSurface {
  readonly id: number;
  /** SpiceSurfaceFmt. */
  readonly format: number;
  readonly width: number;
  readonly height: number;
  /** Signed: negative when memory holds the bottom row first. */
  readonly stride: number;
  readonly bank: Bank;
  /** Byte of the bank where the top-left pixel is. */
  readonly offset: number;
  /** Only for the primary. */
  readonly mouseMode?: number;
  /** The CREATE command, which the guest gets back only when the surface dies. */
  readonly created?: GuestResource;
}

/** Bytes that a surface holds. */
export function surfaceBytes({ stride, height }: Pick<DeviceSurface, "stride" | "height">): number {
  return Math.abs(stride) * height;
}

/** The surfaces of the device by id; 0 is the primary. */
export class SurfaceTable {
  readonly #memory: DeviceMemory;
  readonly #surfaces = new Map<number, DeviceSurface>();
  #bytes = 0;

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  get(id: number): DeviceSurface | undefined {
    return this.#surfaces.get(id);
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#surfaces.size;
  }

  /** Primary first, then in order of creation. */
  all(): DeviceSurface[] {
    return [...this.#surfaces.values()].toSorted((a, b) => Number(b.id === 0) - Number(a.id === 0));
  }

  add(surface: DeviceSurface): void {
    this.delete(surface.id);
    this.#surfaces.set(surface.id, surface);
    this.#bytes += surfaceBytes(surface);
  }

  delete(id: number): DeviceSurface | undefined {
    const surface = this.#surfaces.get(id);
    if (surface === undefined) return undefined;
    this.#surfaces.delete(id);
    this.#bytes -= surfaceBytes(surface);
    return surface;
  }

  clear(): void {
    this.#surfaces.clear();
    this.#bytes = 0;
  }

  /** The surface's pixels, wherever the memory is by then. */
  raster(surface: DeviceSurface): RasterSurface {
    const { bank, offset, stride, width, height, format } = surface;
    const memory = this.#memory;
    return {
      get bytes() {
        return memory.bytes(bank);
      },
      offset,
      stride,
      width,
      height,
      format,
    };
  }

  isValid(surface: DeviceSurface): boolean {
    return isValidSurface(this.raster(surface));
  }

  /** A fresh surface's memory must not show what was there before. */
  erase(surface: DeviceSurface): void {
    const start = firstByte(surface);
    this.#memory.bytes(surface.bank).fill(0, start, start + surfaceBytes(surface));
  }

  /** The command that makes the surface elsewhere, with its content when `withContent`. */
  createCommand(surface: DeviceSurface, sink: QxlSink, withContent: boolean): RedSurfaceCreate {
    const { id, format, width, height, stride, mouseMode } = surface;
    const data = withContent ? this.#copyRows(surface, sink) : undefined;
    return {
      type: "surfaceCreate",
      surfaceId: id,
      format,
      width,
      height,
      stride: Math.abs(stride),
      data,
      mouseMode,
    };
  }

  #copyRows(surface: DeviceSurface, sink: QxlSink): RedSurfaceCreate["data"] {
    const { offset, stride, height, width, format } = surface;
    const bytes = this.#memory.bytes(surface.bank);
    const row = Math.ceil((width * surfaceBits(format)) / 8);
    const rowStride = Math.abs(stride);
    const span = sink.allocate(rowStride * height);
    const { data } = sink;
    if (stride > 0) {
      // The last row's padding may lie beyond the memory.
      data.set(bytes.subarray(offset, offset + rowStride * (height - 1) + row), span.offset);
      return span;
    }
    for (let y = 0; y < height; y++) {
      const from = offset + y * stride;
      data.set(bytes.subarray(from, from + row), span.offset + y * rowStride);
    }
    return span;
  }
}

function firstByte({ offset, stride, height }: DeviceSurface): number {
  return stride < 0 ? offset + (height - 1) * stride : offset;
}

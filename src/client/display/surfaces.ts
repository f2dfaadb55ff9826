import type { RasterSurface } from "../../raster/index.ts";
import { drawDrawable, isValidSurface, surfaceBits } from "../../raster/index.ts";
import { ClientError } from "../errors.ts";
import { SURFACES_MAX, SURFACE_BYTES_MAX } from "../limits.ts";
import type { ClientDrawable } from "./draw-operation.ts";

/** A surface as SURFACE_CREATE tells it. */
export interface SurfaceShape {
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
  /** SpiceSurfaceFmt */
  readonly format: number;
}

/** The pixels of a display channel: its surfaces, and how they are drawn on. */
export class Surfaces {
  readonly #surfaces = new Map<number, RasterSurface>();
  #bytes = 0;

  /** By their ids; 0 is the primary. */
  get all(): ReadonlyMap<number, RasterSurface> {
    return this.#surfaces;
  }

  /** @throws ClientError `SERVER_MISSING` */
  get(id: number): RasterSurface {
    const surface = this.#surfaces.get(id);
    if (surface === undefined) throw new ClientError("SERVER_MISSING", `the server sent no surface ${id}`);
    return surface;
  }

  /** SURFACE_CREATE: black. @throws ClientError `SERVER_MESSAGE`, `SERVER_LIMIT` */
  create({ surfaceId, width, height, format }: SurfaceShape): void {
    if (this.#surfaces.has(surfaceId))
      throw new ClientError("SERVER_MESSAGE", `surface ${surfaceId} exists already`);
    // Rows are whole 32 bit words.
    const stride = ((width * surfaceBits(format) + 31) >> 5) * 4;
    const size = stride * height;
    if (this.#surfaces.size >= SURFACES_MAX || this.#bytes + size > SURFACE_BYTES_MAX) {
      const limits = `${SURFACES_MAX} surfaces and ${SURFACE_BYTES_MAX} bytes are allowed`;
      throw new ClientError("SERVER_LIMIT", `surface ${surfaceId} of ${width} x ${height} pixels: ${limits}`);
    }
    const surface = { bytes: new Uint8Array(size), offset: 0, stride, width, height, format };
    if (!isValidSurface(surface))
      throw new ClientError(
        "SERVER_MESSAGE",
        `no surface has ${width} x ${height} pixels of format ${format}`,
      );
    this.#bytes += size;
    this.#surfaces.set(surfaceId, surface);
  }

  /** SURFACE_DESTROY @throws ClientError `SERVER_MISSING` */
  destroy(id: number): void {
    this.#bytes -= this.get(id).bytes.length;
    this.#surfaces.delete(id);
  }

  /** @throws ClientError `SERVER_MISSING` */
  draw({ drawable, data }: ClientDrawable): void {
    const target = this.get(drawable.surfaceId);
    drawDrawable(target, drawable, { data, surface: (id) => this.get(id) });
  }

  clear(): void {
    this.#surfaces.clear();
    this.#bytes = 0;
  }
}

import type { RedDrawOperation, RedImage } from "../protocol/red-command.ts";
import { FRESH_BYTES_PER_UNIT, QUIC_COST } from "./costs.ts";
import { surfaceBits } from "./formats.ts";
import type { RasterPicture, RasterSource, RasterSurface } from "./surface.ts";
import { sharesMemory } from "./surface.ts";
import type { CostMeter, Steps } from "./work.ts";

/**
 * The source of an operation's images with what takes long done: surfaces that share memory with the target are copied, since what an operation
 * writes must not change what it still has to read; QUIC streams are decoded. Mostly there is nothing to do.
 */
export function* settledSource(
  images: readonly (RedImage | undefined)[],
  target: RasterSurface,
  source: RasterSource,
  meter: CostMeter,
): Steps<RasterSource> {
  let surfaces: Map<number, RasterSurface> | undefined;
  let pictures: Map<RedImage, RasterPicture | undefined> | undefined;
  for (const image of images) {
    if (image === undefined || image.kind === "bitmap") continue;
    if (image.kind === "surface") {
      const surface = source.surface(image.surfaceId);
      if (surface === undefined || !sharesMemory(surface, target) || surfaces?.has(image.surfaceId) === true)
        continue;
      surfaces ??= new Map();
      surfaces.set(image.surfaceId, yield* copyOfSurface(surface, meter));
    } else if (image.kind === "quic" && source.quic !== undefined) {
      const { offset, length } = image.data;
      pictures ??= new Map();
      pictures.set(
        image,
        yield* decoded(source.quic(image, source.data.subarray(offset, offset + length)), meter),
      );
    }
  }
  if (surfaces === undefined && pictures === undefined) return source;
  return {
    data: source.data,
    surface: (id) => surfaces?.get(id) ?? source.surface(id),
    picture: (image) => pictures?.get(image),
  };
}

/** Whether there is anything to do for {@link settledSource}: bitmaps can be read as they are. */
export function isSettled(operation: RedDrawOperation): boolean {
  return isPlain(pictureOf(operation)) && isPlain(tileOf(operation)) && isPlain(maskOf(operation));
}

function isPlain(image: RedImage | undefined): boolean {
  return image === undefined || image.kind === "bitmap";
}

/** What an operation puts on its box. */
export function pictureOf(operation: RedDrawOperation): RedImage | undefined {
  return "srcArea" in operation ? operation.src : undefined;
}

export function tileOf(operation: RedDrawOperation): RedImage | undefined {
  return "brush" in operation && operation.brush.type === "pattern" ? operation.brush.image : undefined;
}

export function maskOf(operation: RedDrawOperation): RedImage | undefined {
  return "mask" in operation ? operation.mask?.bitmap : undefined;
}

/** Runs a decoder that yields the pixels it has done. */
function* decoded(
  rows: Generator<number, RasterPicture | undefined>,
  meter: CostMeter,
): Steps<RasterPicture | undefined> {
  for (;;) {
    const { done, value } = rows.next();
    if (done === true) return value;
    meter.spend(value * QUIC_COST);
    if (meter.isSpent) yield;
  }
}

/** A surface's pixels in memory of their own. */
export function* copyOfSurface(surface: RasterSurface, meter: CostMeter): Steps<RasterSurface> {
  const row = Math.ceil((surface.width * surfaceBits(surface.format)) / 8);
  const stride = (row + 3) & ~3;
  const bytes = new Uint8Array(stride * surface.height);
  const cost = row / FRESH_BYTES_PER_UNIT + 20;
  const atOnce = meter.fit(cost);
  for (let from = 0; from < surface.height; from += atOnce) {
    const to = Math.min(surface.height, from + atOnce);
    const memory = surface.bytes;
    for (let y = from; y < to; y++) {
      const at = surface.offset + y * surface.stride;
      bytes.set(memory.subarray(at, at + row), y * stride);
    }
    meter.spend((to - from) * cost);
    if (meter.isSpent) yield;
  }
  const { width, height, format } = surface;
  return { bytes, offset: 0, stride, width, height, format };
}

/**
 * Raster operations on plain memory: regions, surfaces, and every QXL drawing operation, exact to the pixel.
 * @packageDocumentation
 */
export { drawDrawable } from "./draw.ts";
export { drawableRegion } from "./draw-context.ts";
export { BitmapFormat, SurfaceFormat, bitmapBits, rgbFrom555, rgbFrom565, surfaceBits } from "./formats.ts";
export { MAX_RASTER_SIDE } from "./limits.ts";
export { Region } from "./region.ts";
export { Rop, Ropd, ropFromDescriptor, ropReadsDest } from "./rop.ts";
export { ScaleMode } from "./scale.ts";
export { isValidSurface } from "./surface.ts";
export type { RasterPicture, RasterSource, RasterSurface } from "./surface.ts";

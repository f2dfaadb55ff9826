/**
 * Raster operations on plain memory: regions, surfaces, and every QXL drawing operation, exact to the pixel, at once or in bands.
 * @packageDocumentation
 */
export { BYTES_PER_UNIT } from "./costs.ts";
export { drawDrawable, drawSmall, drawing } from "./draw.ts";
export { DrawArea, drawableArea, hasSimpleClip, simpleArea } from "./draw-area.ts";
export { BitmapFmt, SurfaceFmt, bitmapBits, rgbFrom555, rgbFrom565, surfaceBits } from "./formats.ts";
export { BAND_COST, MAX_RASTER_SIDE, MAX_REGION_RECTS, SMALL_CLIP_RECTS } from "./limits.ts";
export { Region } from "./region.ts";
export { Rop, Ropd, ropFromDescriptor, ropReadsDest } from "./rop.ts";
export { ScaleMode } from "./scale.ts";
export { isValidSurface } from "./surface.ts";
export type { RasterPicture, RasterSource, RasterSurface } from "./surface.ts";
export { CostMeter, finish, unlimited } from "./work.ts";
export type { Steps } from "./work.ts";

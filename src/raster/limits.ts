/**
 * Largest width or height of a surface or picture that is drawn: keeps every pixel index below 2^31 and every scratch row below
 * 128 KiB. QXL's own largest mode is 8192 wide; what claims more is not drawn.
 */
export const MAX_RASTER_SIDE = 32_767;

/**
 * Cost units (about nanoseconds) of the largest piece of a drawing that is done in one go. A single row may be more: an interpolated
 * one of 32767 pixels, read from as long ones, costs two or three such pieces.
 */
export const BAND_COST = 500_000;

/** Clip rectangles up to which their union is computed pairwise and at once: what desktops send, at most 1024 boxes. */
export const SMALL_CLIP_RECTS = 64;

/**
 * Rectangles of a region that is kept as such: what a message's clip or a dirty region is made of. N clip rectangles can make N * N / 4
 * of them. A clip with more is drawn band by band from the sorted rectangles, exactly, and counts as its bounding box for all who
 * only have to know where something changed.
 */
export const MAX_REGION_RECTS = 1024;

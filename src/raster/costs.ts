/**
 * What work costs, in units of about a nanosecond of a desktop processor of the 2020s, found with `npm run bench -- bands`. They only
 * have to be right to a factor of two: they decide where work is cut, never what is drawn.
 */

/** Pixels written, or moved as bytes. */
export const WRITE_COST = 1;

/** Pixels read from a surface or bitmap of the same kind. */
export const READ_COST = 1;

/** Pixels whose palette index is looked up, or a bit read. */
export const INDEX_COST = 3;

/** Pixels converted between two formats. */
export const CONVERT_COST = 4;

/** Pixels scaled by taking the nearest, and by interpolating four. */
export const NEAREST_COST = 10;
export const INTERPOLATE_COST = 30;

/** Pixels of a repeated tile. */
export const TILE_COST = 6;

/** Pixels through a raster operation of two operands, and of three. */
export const ROP_COST = 3;
export const ROP3_COST = 12;

/** Pixels compared with a colour that is not copied; every second one may end a run. */
export const KEY_COST = 15;

/** Pixels blended in four channels. */
export const BLEND_COST = 40;

/** Pixels whose mask bit is looked at; every second one may begin a run. */
export const MASK_COST = 20;

/** Pixels of a QUIC stream, decoded in TypeScript. */
export const QUIC_COST = 120;

/** One run of pixels, however short: its views, calls and tests. */
export const RUN_COST = 40;

/** One rectangle of a clip in one of the six passes that sort them. */
export const SORT_COST = 15;

/** Bytes copied in long rows, to one unit. */
export const BYTES_PER_UNIT = 4;

/** Bytes copied into memory that was just asked for, to one unit: a system hands out each of its pages, emptied, when it is touched. */
export const FRESH_BYTES_PER_UNIT = 1;

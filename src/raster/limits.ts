/**
 * Largest width or height of a surface or picture that is drawn: keeps every pixel index below 2^31 and every scratch row below
 * 128 KiB. QXL's own largest mode is 8192 wide; what claims more is not drawn.
 */
export const MAX_RASTER_SIDE = 32_767;

/**
 * Largest image, in pixels, that any codec here encodes or decodes. 8192 x 8192 is beyond every QXL mode;
 * a header that claims more is an attack on our memory (the reference allows 512 Mpx - 1).
 */
export const MAX_IMAGE_PIXELS = 64 * 1024 * 1024;

/** Largest width or height of an image: keeps every row offset and every product of a row far below 2^31. */
export const MAX_IMAGE_SIDE = 32_767;

/** QUIC is not used below 3 x 3 pixels: the reference server does not, and the header alone would be the larger part. */
export const QUIC_MIN_SIDE = 3;

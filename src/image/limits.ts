/**
 * Largest image, in pixels, that any codec here encodes or decodes. 8192 x 8192 is beyond every QXL mode;
 * a header that claims more is an attack on our memory (the reference allows 512 Mpx - 1).
 */
export const MAX_IMAGE_PIXELS = 64 * 1024 * 1024;

/** Largest width or height of an image: keeps every row offset and every product of a row far below 2^31. */
export const MAX_IMAGE_SIDE = 32_767;

/** QUIC is not used below 3 x 3 pixels: the reference server does not, and the header alone would be the larger part. */
export const QUIC_MIN_SIDE = 3;

/** Memory of the surfaces and codecs at the start: a 1080p screen, its off-screen surfaces and the scratch of the encoders, without growing. */
export const HEAP_INITIAL_BYTES = 32 * 1024 * 1024;

/** Largest memory of one red worker: four 4K screens with back buffers and four GLZ windows fit; a hostile guest gets no more. */
export const HEAP_MAX_BYTES = 1024 * 1024 * 1024;

/** Most surfaces and regions allocated at one time; QXL devices offer 1024 surfaces. */
export const HEAP_MAX_ALLOCATIONS = 16_384;

/**
 * Window of a GLZ dictionary in pixels, four bytes each, when the client offers more: 16 MiB hold the last five screens of 1024 x 768.
 * A power of two.
 */
export const GLZ_WINDOW_PIXELS = 4 * 1024 * 1024;

/** Smallest window worth a dictionary; clients that offer less (or 0) get LZ. */
export const GLZ_WINDOW_MIN_PIXELS = 64 * 1024;

/** Pixels that a GLZ decoder keeps for back references: what spice-gtk offers at most. A server that sends more is broken. */
export const GLZ_DECODE_WINDOW_PIXELS = 16 * 1024 * 1024;

/** Images in a GLZ decoder's window, against floods of tiny images that never release one another. */
export const GLZ_DECODE_WINDOW_IMAGES = 65_536;

/** Blocks of one MCU of a JPEG stream: the standard's own bound (T.81 B.2.3), which keeps sampling factors sensible. */
export const JPEG_MAX_MCU_BLOCKS = 10;

/** Image bytes below which no compression is tried (spice-server's MIN_SIZE_TO_COMPRESS). */
export const MIN_COMPRESS_BYTES = 54;

/** GLZ streams below this are not wrapped in zlib (spice-server's MIN_GLZ_SIZE_FOR_ZLIB). */
export const ZLIB_GLZ_MIN_BYTES = 100;

/**
 * Largest GLZ stream that is inflated: a decoder's whole window, each pixel with alpha and as a literal, has 68 MiB. A message that
 * claims more is a zip bomb.
 */
export const ZLIB_GLZ_MAX_BYTES = 72 * 1024 * 1024;

/**
 * Pixels from which the platform's JPEG encoder is used at all: below, its fixed cost of about a millisecond a call is the larger part
 * (measured in Chromium: 0.8 ms for 32 x 32, 1.7 to 2.3 ms for 256 x 256, 10 to 13 ms for 1024 x 768).
 */
export const PLATFORM_JPEG_MIN_PIXELS = 256 * 256;

/**
 * The fixed low part of the codecs' WebAssembly memory, in bytes. Everything from HEAP_BASE up belongs to SurfaceHeap.
 * This file is compiled both as TypeScript and as AssemblyScript: plain integer constants only.
 */

/** QUIC code words: [code << 10 | symbol << 2] = length << 16 | bits, for 8-bit and for 5-bit channels. */
export const QUIC_CODES8 = 0x400;
export const QUIC_CODES5 = 0x2400;
/** QUIC code lengths: [symbol << 4] = eight u16, one per code. */
export const QUIC_LENGTHS8 = 0x4400;
export const QUIC_LENGTHS5 = 0x5400;
/** The model, four channels of eight buckets of QUIC_BUCKET_BYTES: eight u16 counters, then the best code's byte offset, code << 10. */
export const QUIC_MODEL = 0x5800;
export const QUIC_BUCKET_BYTES = 32;
export const QUIC_CHANNEL_BYTES = 256;
/** Byte offset in its channel of the bucket of each context symbol: 256 u8, for 8-bit and for 5-bit channels. */
export const QUIC_BUCKETS8 = 0x5c00;
export const QUIC_BUCKETS5 = 0x5d00;
/** Wait-mask and run state, 64 bytes for the colours and 64 for alpha. */
export const QUIC_STATE = 0x6200;
/** Bitmaps of a row, one bit per pixel: equal to its left neighbour (two rows of colour, two of alpha), and run candidates. */
export const QUIC_BITMAPS = 0x7000;
export const QUIC_BITMAP_BYTES = 0x1040;
/** u32 rows: symbols; contexts of colour and alpha; unpacked pixels of colour (2) and alpha (2). Skewed against cache aliasing. */
export const QUIC_ROWS = 0xd000;
export const QUIC_ROW_BYTES = 0x20440;
/** Hash table of the LZ encoder. */
export const LZ_TABLE = 0xf0000;
export const LZ_TABLE_BITS = 14;
/** Hash tables of the LZ4 encoder, of pairs of pixels and of pixels: u16 entries. */
export const LZ4_TABLE = 0x100000;
export const LZ4_TABLE_BITS = 12;
/** Static data of the compiler (passed to it as --memoryBase). */
export const STATIC_BASE = 0x110000;
/** First byte of the heap. */
export const HEAP_BASE = 0x118000;
/** Bytes behind the last allocation that are never handed out: SIMD loads and stores may touch them. */
export const HEAP_GUARD = 0x100;

/** Hash table of a GLZ dictionary, 2^17 entries of 4 bytes. */
export const GLZ_TABLE_BITS = 17;
/** Bytes of an entry of a dictionary's image table: first unit, units, signature, LZ type. */
export const GLZ_IMAGE_BYTES = 16;
/** Entries of the image table, a ring. */
export const GLZ_IMAGES = 4096;
/** Behind it, for each hash of signatures, the last two images that had one: u32 of id + 1. */
export const GLZ_LAST_BITS = 12;
export const GLZ_LAST_BYTES = 8;
/** Behind these, for each block of 2^8 units of the ring, the image of its first unit: a u32 each. */
export const GLZ_BLOCK_BITS = 8;

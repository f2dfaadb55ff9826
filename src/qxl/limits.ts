/** Limits of the QXL device. Whatever a guest writes, one command costs no more than these. */

/** Chunks of one chain. 64 MiB of RAM cut into pages are 16384; more is a loop or an attack (the reference allows 2 million). */
export const MAX_DATA_CHUNKS = 32_768;

/** Bytes of pixels, QUIC stream or other data of one command: all of a default BAR0. */
export const MAX_COMMAND_BYTES = 64 * 1024 * 1024;

/**
 * Clip rectangles of one drawable: 16 MiB of guest memory. Desktops send some dozens. They are drawn exactly, in slices; the union of so
 * many is never held (see src/raster/clip-sweep.ts).
 */
export const MAX_CLIP_RECTS = 1024 * 1024;

/** Entries of a palette: what 8 bits can index. */
export const MAX_PALETTE_ENTRIES = 256;

/** Pixels of all living surfaces together, in bytes: the red worker holds a copy of each. Four default VRAMs. */
export const MAX_SURFACES_BYTES = 256 * 1024 * 1024;

/** Surfaces with ids 0 to this less one (ROM n_surfaces): QEMU's number. */
export const DEFAULT_SURFACES = 1024;

/**
 * Bytes under way to the red worker at which even a synchronous command (UPDATE_AREA) no longer drains the ring beyond the
 * credit: a guest that loops on it must not fill our memory.
 */
export const MAX_FORCED_BYTES = 64 * 1024 * 1024;

/**
 * Cost units (about nanoseconds, see src/raster/costs.ts) of drawing before the device lets its thread do something else: the guest's
 * CPU, its keys, its clock and its saving are there, too.
 */
export const DEVICE_SLICE_COST = 5_000_000;

/** Cost units of any ring command beside its pixels. */
export const RING_COMMAND_COST = 3000;

/** Cost units of a structure that is copied out of the guest: a chain of 32768 chunks is not parsed in parts, but counted. */
export const COPY_COST = 400;

/**
 * Cost units that a synchronous I/O command (UPDATE_AREA and its like), saving, or a mode change draws at most before it goes on: about a
 * second. The CPU stands inside the instruction meanwhile, and with it all of the guest's thread; what is left in the ring is drawn
 * behind it. No driver that is used with Linux draws that much, and Linux's own only uses the asynchronous commands.
 */
export const MAX_FORCED_COST = 1_000_000_000;

/** Bytes at which a batch is sent without waiting for the end of the tick: the red worker starts while the guest goes on. */
export const BATCH_FLUSH_BYTES = 2 * 1024 * 1024;

/** First capacity of a batch's buffer; later ones follow the batches before. */
export const BATCH_MIN_BYTES = 16 * 1024;

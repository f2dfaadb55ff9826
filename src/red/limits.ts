/**
 * Items in a client's pipe above which no further command is processed (spice-server's MAX_PIPE_SIZE). Must exceed two ack
 * windows of 20, so that an ACK can always wake the worker.
 */
export const MAX_PIPE_SIZE = 50;

/**
 * Bytes of guest pixels that one client's pipe may keep in memory; above it the pipe counts as too long, whatever its length.
 * Twice the credit of a command producer: a client that keeps up never gets there.
 */
export const MAX_PIPE_BYTES = 32 * 1024 * 1024;

/**
 * Milliseconds that a client's long pipe may hold up the guest. Then the pipe is collapsed: its drawables become dirty regions,
 * sent as pictures of what the surface is by then. Enough for a round trip of a healthy client, too short to be felt.
 */
export const PIPE_STALL_MS = 100;

/**
 * Cost units (about nanoseconds, see src/raster/costs.ts) of drawing and encoding before the worker lets its other events run:
 * spice-server's slice is 10 ms. Counted, not timed, so that it is the same on every machine; a slice is exceeded by one band or one
 * picture at most.
 */
export const SLICE_COST = 5_000_000;

/** Cost units of any command beside its pixels. */
export const COMMAND_COST = 2000;

/** Cost units of a surface that comes or goes, a reset, new monitors: every client's pipe is looked through. */
export const LIFE_CYCLE_COST = 50_000;

/** Cost units of a pixel of a cursor shape: copied, and turned into RGBA for the tab's own screen and for clients that know no other. */
export const CURSOR_PIXEL_COST = 30;

/** Cost units of any message beside its pixels. */
export const MESSAGE_COST = 3000;

/** Cost units of encoding a pixel with the codecs in WebAssembly: QUIC's, the dearest. */
export const ENCODE_COST = 15;

/** The same with the codecs in plain TypeScript. */
export const PLAIN_ENCODE_COST = 100;

/**
 * Milliseconds that a machine which stops waits for what its clients have to get (COMMON_CLIENT_TIMEOUT of spice-server); who has not taken
 * it by then is disconnected.
 */
export const STOP_FLUSH_TIMEOUT_MS = 30_000;

/** Milliseconds a client may take to send its DISPLAY INIT (COMMON_CLIENT_TIMEOUT of spice-server). */
export const DISPLAY_INIT_TIMEOUT_MS = 30_000;

/** Largest message a display or cursor client may send: spice-server's fixed receive buffer. */
export const CHANNEL_RECEIVE_BUFFER = 1024;

/** Surfaces of one QXL device (NUM_SURFACES of spice-server); the QXL ROM tells the guest the same number. */
export const NUM_SURFACES = 1024;

/**
 * Bytes of memory that all surfaces of one worker may take together. A guest has 64 MiB of video memory by default and its
 * off-screen surfaces live in the same; four times that leaves room for several heads.
 */
export const MAX_SURFACE_BYTES = 256 * 1024 * 1024;

/** Largest width or height of a surface. Beyond every QXL mode, and the largest side an image may have. */
export const MAX_SURFACE_SIDE = 16_384;

/**
 * Pixels of one picture when a dirty region or a large drawing is sent piece by piece: 1 MiB of raw pixels, at most 4 ms of QUIC. A
 * slow client gets every piece as new as it can be, and the worker is never busy for long with one of them.
 */
export const SYNC_STRIP_PIXELS = 256 * 1024;

/**
 * Pixels up to which the first picture of a primary surface is sent as it is: 1024 x 768 and 1280 x 800 are below. Encoding is not cut,
 * so a larger one goes in strips to an off-screen surface of the client and from there to the primary in one copy.
 */
export const FIRST_PICTURE_PIXELS = 1024 * 1024;

/**
 * Surface id at the client for that: far above the guest's. Clients keep their surfaces by any 32 bit number.
 */
export const STAGING_SURFACE = 0x7fff_0000;

/**
 * Pixels that are copied out of a surface at once, 16 MiB, for a client that has to see them as they are now. What is more becomes
 * dirty, and is sent as it is by then.
 */
export const MAX_SNAPSHOT_PIXELS = 4 * 1024 * 1024;

/**
 * Pixels of an image that is sent whole for a client's cache. It is hashed and encoded in one go; larger ones are sent in strips, and
 * not kept.
 */
export const MAX_CACHED_IMAGE_PIXELS = 512 * 1024;

/** Rectangles of a dirty region above which its bounding box takes its place: messages cost more than a few equal pixels. */
export const MAX_DIRTY_RECTS = 16;

/** Clip rectangles up to which a clipped copy is sent as one unclipped, cropped copy each. */
export const MAX_SPLIT_RECTS = 8;

/** Cursor shapes remembered per client (spice-server's cursor cache); clients keep as many. */
export const CURSOR_CACHE_SIZE = 256;

/** Items in a cursor pipe above which it is replaced by the present state: nobody needs old pointer moves. */
export const CURSOR_PIPE_SIZE = 32;

/**
 * Pixels of a client's pixmap cache, whatever its INIT says: 256 MiB of 32 bit images. remote-viewer asks for 80 MiB; the number is
 * an i64 that any client may fill with anything.
 */
export const MAX_PIXMAP_CACHE_PIXELS = 64 * 1024 * 1024;

/**
 * Images in one client's pixmap cache, however small they are. Some hundred bytes of ours for each, so a guest that sends one pixel
 * under ever new ids costs a few MiB; and all of them can be invalidated by one INVAL_LIST, whose count has 16 bits.
 */
export const MAX_PIXMAP_CACHE_ITEMS = 16_384;

/**
 * Times that an image may be larger than the part of it that is drawn, to be sent whole for the client's cache. Clips that hide half
 * of it are common; a guest that shows a small part of a large picture pays for that part only.
 */
export const MAX_CACHE_OVERDRAW = 4;

/** Palettes a client keeps (CLIENT_PALETTE_CACHE_SIZE of spice-server). */
export const PALETTE_CACHE_SIZE = 128;

/** Pixels that are painted on the tab's own canvas in one go: some milliseconds. The rest follows in the next turn. */
export const CANVAS_TURN_PIXELS = 1024 * 1024;

/** Milliseconds between two paints of the tab's own canvas: one frame of a 60 Hz screen. */
export const CANVAS_FRAME_MS = 16;

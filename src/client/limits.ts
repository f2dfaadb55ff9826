/** Milliseconds to make one connection: what an operating system gives a TCP connect at most, halved. */
export const DIAL_DEADLINE_MS = 60_000;

/** Milliseconds for the reply to a link message. The server makes a key for it, on a busy machine among many. */
export const LINK_REPLY_DEADLINE_MS = 30_000;

/**
 * Milliseconds for the result of a link. A right password waits behind those who guess: up to PASSWORD_WAIT_MS (60 s) at our own server,
 * and some for the way.
 */
export const LINK_RESULT_DEADLINE_MS = 75_000;

/** Milliseconds for INIT, and as many for the list of channels: a server measures the line with 250 KiB before it goes on. */
export const SESSION_DEADLINE_MS = 60_000;

/** Body bytes of a message whose type nobody here knows: it is handed on whole, so it may not be larger than a control message's kin. */
export const UNKNOWN_MESSAGE_MAX = 256 * 1024;

/** Messages in a list of sub messages that take effect; spice-server never sends more than a few. */
export const SUB_MESSAGES_MAX = 256;

/** Channels that a session opens: stock servers list a dozen. */
export const SESSION_CHANNELS_MAX = 64;

/** Pixels of a display channel's image cache as INIT announces them: what spice-gtk says (80 MiB at 32 bits). */
export const PIXMAP_CACHE_PIXELS = 20_971_520;

/** Pixels of a display channel's GLZ window as INIT announces them: what spice-gtk says (24 MiB at 32 bits). */
export const GLZ_WINDOW_PIXELS = 6_290_432;

/** Palettes that a client keeps (CLIENT_PALETTE_CACHE_SIZE of spice-server, which counts them). */
export const PALETTE_CACHE_ENTRIES = 128;

/** Surfaces of a display channel at once: what QEMU's QXL device has at most. */
export const SURFACES_MAX = 1024;

/** Bytes of all surfaces of a display channel: two screens of 8192 x 4320, and as much again off screen. */
export const SURFACE_BYTES_MAX = 512 * 1024 * 1024;

/** Cursor shapes that a client keeps (CLIENT_CURSOR_CACHE_SIZE of spice-server, which counts them). */
export const CURSOR_CACHE_ENTRIES = 256;

/** Bunches of motions that may be unacknowledged before further ones are added up (spice-gtk): enough to hide one round trip. */
export const MOTION_BUNCHES_IN_FLIGHT = 2;

/** AGENT_DATA messages that the server may send before it gets tokens back; as many as spice-server gives its clients. */
export const AGENT_RECEIVE_WINDOW = 10;

/** Tokens are given back to the server in this number. */
export const AGENT_TOKENS_TO_SEND = 5;

/** Bytes for the agent that may wait for the server's tokens: beyond, sending is refused, for whoever sends to slow down. */
export const AGENT_SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** Bytes that a transport which cannot pause its peer keeps while nobody reads it: one drawing of a whole large screen. */
export const TRANSPORT_UNREAD_MAX = 160 * 1024 * 1024;

/** Bytes waiting in a transport above which a peer that can be held back is. */
export const TRANSPORT_HIGH_WATER = 1024 * 1024;

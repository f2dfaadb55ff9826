/**
 * Bytes that one side of a RedStream may send before the other has read them. Several full-screen images of a busy desktop: enough
 * to keep a fast wire busy between two turns of a thread, little enough that a stalled client is felt at once.
 */
export const STREAM_CREDIT = 1024 * 1024;

/** Bytes after which a reader gives credit back, so that small pieces do not cost a message each. */
export const CREDIT_GRAIN = 64 * 1024;

/**
 * Bytes a peer may send beyond its credit before the stream is ended. One message is one write and the largest is a whole screen
 * uncompressed (DRAW_MESSAGE_MAX of the protocol), so a well-behaved writer may overshoot by that much; the readers of clients'
 * bytes set far less.
 */
export const MAX_OVERSHOOT = 160 * 1024 * 1024;

/**
 * Bytes that may come from a client beyond its stream's credit before the stream is ended: one WebSocket message, since a socket that can
 * pause does so between two; one that cannot ends a client that floods it.
 */
export const CLIENT_OVERSHOOT = 256 * 1024;

/**
 * Messages read from one WebSocket before the thread's other streams and events have their turn. Each costs two events whatever its size, and
 * a client that writes byte by byte sends many.
 */
export const SOCKET_TURN_MESSAGES = 16;

/**
 * Turns that one stream may have one after the other: with the messages of each turn, more than a second of the fastest hand, or a whole
 * window of agent data.
 */
export const TURNS_AT_ONCE = 16;

/**
 * Milliseconds in which a stream earns another turn. Four thousand bytes, or sixteen messages, a millisecond are far more than any honest
 * client sends for long, and leave the processor to the others.
 */
export const TURN_REST_MS = 4;

/** Bytes in a WebSocket's own queue (`bufferedAmount`) above which nothing more is handed to it. */
export const SOCKET_HIGH_WATER = 1024 * 1024;

/** Milliseconds between two looks at `bufferedAmount` while a socket is above its high water: WebSocket has no drain event. */
export const SOCKET_POLL_MS = 10;

/** Bytes per WebSocket message; larger writes are cut, so that a relay can apply back-pressure between them. */
export const SOCKET_SEGMENT = 256 * 1024;

/**
 * Milliseconds that a socket has to take what was written before the end. A peer that stopped reading would otherwise keep its last
 * screen in our memory until its connection breaks.
 */
export const SOCKET_FLUSH_DEADLINE_MS = 5_000;

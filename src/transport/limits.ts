/**
 * Bytes that one side of a RedStream may send before the other has read them. Several full-screen images of a busy desktop: enough
 * to keep a fast wire busy between two turns of a thread, little enough that a stalled client is felt at once.
 */
export const STREAM_CREDIT = 1024 * 1024;

/** Bytes after which a reader gives credit back, so that small pieces do not cost a message each. */
export const CREDIT_GRAIN = 64 * 1024;

/** Bytes a peer may send beyond its credit before the stream is ended: one large message may overshoot. */
export const MAX_OVERSHOOT = 80 * 1024 * 1024;

/** Bytes in a WebSocket's own queue (`bufferedAmount`) above which nothing more is handed to it. */
export const SOCKET_HIGH_WATER = 1024 * 1024;

/** Milliseconds between two looks at `bufferedAmount` while a socket is above its high water: WebSocket has no drain event. */
export const SOCKET_POLL = 10;

/** Bytes per WebSocket message; larger writes are cut, so that a relay can apply back-pressure between them. */
export const SOCKET_SEGMENT = 256 * 1024;

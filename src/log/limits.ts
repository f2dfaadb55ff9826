/**
 * Entries that a log keeps of one domain; beyond, the oldest of that domain goes, so that a guest pushes out nobody else's. A person reads
 * the last dozen.
 */
export const LOG_ENTRIES = 50;

/** Characters of one message: IO LOG has up to 4096 bytes, and a client may put anything into a name. */
export const LOG_MESSAGE_CHARS = 300;

/**
 * Messages that one domain may tell within {@link LOG_INTERVAL_MS}; those beyond are only counted. A guest can write to its log at the
 * speed of its CPU, and a client nearly so: each costs a comparison then.
 */
export const LOG_BURST = 20;

/** Milliseconds of such an interval. */
export const LOG_INTERVAL_MS = 1_000;

/** Milliseconds in which what is new is gathered before the page is told: soon enough for a person. */
export const LOG_TELL_MS = 500;

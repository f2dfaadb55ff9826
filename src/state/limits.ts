/** Seconds of quiet after `GUEST ready` before the state is saved by itself: the desktop's late modules are still loading. */
export const AUTOSAVE_SETTLE_S = 20;

/** Milliseconds between two looks at whether the guest idles, before it is saved by itself. */
export const AUTOSAVE_SAMPLE_MS = 100;

/** Looks in a row that must find the guest's CPU halted: two seconds of nothing to do. */
export const AUTOSAVE_IDLE_SAMPLES = 20;

/** Seconds after settling at which a guest that never idles is saved all the same (a clock, a game, an animation). */
export const AUTOSAVE_PATIENCE_S = 180;

/** Seconds that a save asked for by the page may be put off to merge with others: hiding a tab twice saves once. */
export const AUTOSAVE_MIN_INTERVAL_S = 30;

/** Largest saved state that is read back: 2 GiB minus 1, the largest ArrayBuffer that every browser makes. */
export const STATE_MAX_BYTES = 2 ** 31 - 1;

/** Bytes of a saved state read or written at once: few calls of the file system, and small enough for a CPU's cache. */
export const STATE_WINDOW_BYTES = 1024 * 1024;

/** Bytes of a saved state after which the disk is waited for: progress is what the disk has, and at 1 MB a second still comes every 16 s. */
export const STATE_FLUSH_BYTES = 16 * STATE_WINDOW_BYTES;

/** Milliseconds at a time in which a state that was written is read back: the machine runs on in between. */
export const STATE_VERIFY_SLICE_MS = 20;

/** Milliseconds that a restored machine must have run before the state before it may be given up: a broken one falls in its first seconds. */
export const STATE_PROOF_RUN_MS = 10_000;

/** Milliseconds to wait for a page that is closing to let go of the saved states: it may be writing hundreds of megabytes. */
export const STATE_LOCK_DEADLINE_MS = 15_000;

/** Milliseconds between two tries to open a locked file. */
export const STATE_LOCK_RETRY_MS = 20;

/** Seconds after a save at which a machine that somebody has used meanwhile is saved again: at worst so much work is lost. */
export const AUTOSAVE_USED_S = 300;

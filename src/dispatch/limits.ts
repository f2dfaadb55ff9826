/**
 * Milliseconds an acknowledged call may take before its caller gives up. Long enough for a red worker that renders a whole screen
 * on a busy machine, short enough that a hung thread is noticed while somebody is still watching.
 */
export const CALL_DEADLINE_MS = 30_000;

/** Messages that may wait in a receiver before it is taken for dead: nothing legitimate ever queues a tenth of this. */
export const MAX_QUEUED_MESSAGES = 65_536;

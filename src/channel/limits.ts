/**
 * Messages a client may leave unacknowledged before it owes an ACK (CLIENT_ACK_WINDOW of spice-server). The sender stops at two
 * windows. Small enough that a stalled client is noticed after 40 messages, large enough to hide one round trip.
 */
export const CLIENT_ACK_WINDOW = 20;

/** Unacknowledged windows at which the sender stops and waits (spice-server's waiting_for_ack). */
export const ACK_WINDOWS_IN_FLIGHT = 2;

/**
 * Milliseconds a client may hold up its channel without any sign of life (no byte received, no credit given back) before it is
 * disconnected: COMMON_CLIENT_TIMEOUT of spice-server. A stopped client must not hold the guest's pixels for ever.
 */
export const CLIENT_STALL_TIMEOUT_MS = 30_000;

/** Milliseconds between two latency pings of a channel that measures latency (PING_TEST_LONG_TIMEOUT / short one: 15 s). */
export const PING_INTERVAL_MS = 15_000;

/** Milliseconds that a client has for its MIGRATE_FLUSH_MARK (MIGRATE_TIMEOUT of spice-server); it only has to empty its own queue. */
export const MIGRATE_DEADLINE_MS = 10_000;

/** Pings that may be unanswered at once; a further one is not sent, so that a client which never answers costs nothing. */
export const MAX_PINGS_IN_FLIGHT = 4;

/**
 * Messages of one client that are handled before the thread's other clients and events have their turn. Sixty-four motions are a
 * fraction of a millisecond; a person's hand never makes so many at once.
 */
export const TURN_MESSAGES = 64;

/** Bytes of one client that are read in one turn: eight agent pieces, a large message arrives over several turns. */
export const TURN_BYTES = 16 * 1024;

/** Bytes up to which messages that answer one turn go out as one write, so that sixty-four answers are not as many events. */
export const CORK_BYTES = 16 * 1024;

/**
 * Bytes of a message up to which whoever follows a channel keeps it: a display client's INIT has 14, its wish for a compression one, a
 * SURFACE_CREATE 20. What is longer need not be known.
 */
export const CUTTER_KEPT_BYTES = 64;

/** Bytes of a client kept until its link stage has ended: that has 300 to 4700 with a ticket. Who sends more cannot be followed. */
export const TRACKER_LINK_BYTES = 16 * 1024;

/**
 * Bytes of a message to a client that whoever passes it on holds back until it is whole, so that the client's connection may go on with
 * another server: most images have less. The rest of a longer one follows as it comes.
 */
export const WIRE_HELD_BYTES = 1024 * 1024;

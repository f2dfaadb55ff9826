/**
 * Milliseconds from a connection to its link result. spice-server has no deadline here, so half-open links pile up; a stock client
 * needs a fraction of a second, and a person is not asked for anything in between.
 */
export const LINK_DEADLINE = 20_000;

/** Links that may be in their handshake at once. A client opens about six; more than this is a flood. */
export const MAX_LINKS = 64;

/** Clients (sessions) at once. Each costs a display pipe and its own encoding. */
export const MAX_CLIENTS = 32;

/** Ticket keys made ahead of time. Each link needs its own, so that a ticket overheard cannot be used again; a client links about six channels. */
export const KEY_POOL_SIZE = 8;

/** AGENT_DATA messages a client may send before it gets tokens back (REDS_AGENT_WINDOW_SIZE). */
export const AGENT_WINDOW = 10;

/** Tokens are given back in this number (REDS_TOKENS_TO_SEND). */
export const AGENT_TOKENS_TO_SEND = 5;

/**
 * Bytes from the agent that may wait for one client before the guest's agent must wait too: a few turns of a token round trip. The
 * slowest client sets the pace, as in spice-server, until {@link AGENT_CLIENT_DEADLINE}.
 */
export const AGENT_CLIENT_QUEUE = 64 * 1024;

/**
 * Milliseconds after which a client that takes nothing from the agent, or leaves a message to it unfinished, is cut off from it
 * (spice-server: 30 s without tokens).
 */
export const AGENT_CLIENT_DEADLINE = 30_000;

/**
 * Bytes of zeros that complete the message of a client which left in the middle. Beyond this the agent is told to forget everything,
 * because writing megabytes of zeros would keep the other clients from it for longer.
 */
export const AGENT_PADDING_MAX = 64 * 1024;

/** Changes of mouse buttons that may wait for the agent; a person makes a few per second. */
export const AGENT_MOUSE_QUEUE = 32;

/** Milliseconds for one write to the agent: a paused guest takes nothing, and its agent is still there when it goes on. */
export const AGENT_WRITE_DEADLINE = 60 * 60 * 1000;

/** Bytes of one piece towards or from the agent (VD_AGENT_MAX_DATA_SIZE). */
export const AGENT_PIECE = 2048;

/** MOUSE_MOTION and MOUSE_POSITION messages per MOUSE_MOTION_ACK (SPICE_INPUT_MOTION_ACK_BUNCH). */
export const MOTION_ACK_BUNCH = 4;

/** Milliseconds after which the guest's lock keys are told to the clients (KEY_MODIFIERS_TTL). */
export const KEY_MODIFIERS_TTL = 2_000;

/** Bytes of filler in the bandwidth test's PING (NET_TEST_BYTES). */
export const NET_TEST_BYTES = 256_000;

/** Bits per second below which a client counts as low bandwidth. */
export const LOW_BANDWIDTH = 10 * 1024 * 1024;

/** Bytes of a message body on the main channel: 11 agent pieces and a control message. */
export const MAIN_RECEIVE_BUFFER = 4096 + 11 * 2048;

/** Bytes of a message body on the inputs channel. */
export const INPUTS_RECEIVE_BUFFER = 4096;

/** Milliseconds between pings from the tab to the relay, and a missed one after which the relay counts as gone. */
export const RELAY_PING_INTERVAL = 15_000;

/** First and longest pause before the relay is dialled again, in milliseconds; doubled each time. */
export const RELAY_RETRY_FIRST = 500;
export const RELAY_RETRY_MAX = 15_000;

/**
 * Messages that may wait for a client on core's own channels. They are small and rare; a client that leaves this many is not reading,
 * and is disconnected before CLIENT_STALL_TIMEOUT of the channels would do it.
 */
export const CORE_PIPE_LIMIT = 1024;

/** Milliseconds between two looks at whether a main channel is alive (CLIENT_CONNECTIVITY_TIMEOUT): a dead one is noticed in two. */
export const CONNECTIVITY_INTERVAL = 30_000;

/**
 * Bytes that may wait unread from one client during its link. A link has at most 4 KiB; the WebSocket of a browser cannot be paused,
 * so more than this ends a client that floods.
 */
export const LINK_OVERSHOOT = 256 * 1024;

/** Milliseconds that clients are given to read why they are disconnected. */
export const DISCONNECT_GRACE = 200;

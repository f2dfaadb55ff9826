/**
 * What the relay may hold for people it does not know. Clients reach it before any password is asked, so everything
 * they can make it keep is counted here.
 */

/**
 * Client connections that the hosting tab has at once. A SPICE client opens 6 to 10, so this is about 25 clients. One more cuts the
 * one that has said least for longest, so that nobody keeps others out by being many.
 */
export const MAX_CLIENT_CONNECTIONS = 256;

/**
 * Of these, connections that are no channel yet: as many as core has places for links. With {@link LINK_GRACE_MS} for each, 64 half-open ones
 * a second find a place without one of them waiting. The browser has 255 WebSockets in all.
 */
export const MAX_LINKING_CLIENTS = 64;

/**
 * Client connections that it has not heard of yet. They cost a socket and the bytes of a link: so many that a crowd which comes back whenever
 * it is cut has nothing to come back for.
 */
export const MAX_WAITING_CONNECTIONS = 1024;

/**
 * Milliseconds that a connection has to say what is next, its link or its ticket, before it may lose its place: a round trip around the world
 * by way of a busy browser.
 */
export const LINK_GRACE_MS = 1_000;

/**
 * Connections that the system may hold for a listener until we come to them (as far as net.core.somaxconn lets it): beyond, it
 * drops them unseen, and an honest client waits for seconds to try again.
 */
export const LISTEN_BACKLOG = 4096;

/**
 * Client connections that the hosting tab is asked to take at once; others wait for their turn. It answers in milliseconds. Chromium
 * holds a WebSocket back the longer the more of the page's are still connecting: at eight by some milliseconds, at sixteen by seconds.
 */
export const MAX_PENDING_CLIENTS = 8;

/** Client connections that the hosting tab is told of without a pause: ten clients that join at the same moment. */
export const LINKS_AT_ONCE = 64;

/**
 * Milliseconds in which one more is earned. A link costs some milliseconds each of relay, browser, core and red, whoever makes it: a flood
 * of them is not to have the processors that those who are in need. This is 71 a second, near what Chromium opens one after the other.
 */
export const LINK_REST_MS = 14;

/** Milliseconds a connection has for its whole link message. Stock clients send it at once, in one piece. */
export const LINK_DEADLINE_MS = 10_000;

/**
 * Bytes read from a client before its stream is joined; past that its socket is no longer read. A link message with
 * the ticket is below 4.3 KiB (4096 + 16 + 132), so an honest client never gets there.
 */
export const MAX_EARLY_BYTES = 16 * 1024;

/** Milliseconds the hosting tab has to open the stream of a client. Clients themselves give up after 10 to 30 s. */
export const JOIN_DEADLINE_MS = 10_000;

/** Milliseconds a control connection has to say hello, so that a silent one does not keep its socket. */
export const HELLO_DEADLINE_MS = 5_000;

/**
 * Milliseconds between two pings: of the control connection (both sides send them) and of each WebSocket of clients and streams. Proxies
 * end what is idle, nginx after 60 s, some load balancers after 30 s: this is below half of that. `--ping-interval` sets another.
 */
export const PING_INTERVAL_MS = 15_000;

/** Milliseconds between two looks of a page that waits for the build: soon enough for a person, nothing for the server. */
export const WAITING_POLL_MS = 1_000;

/** Milliseconds of silence after which a hosting tab counts as gone: three pings unanswered. */
export const SILENCE_LIMIT_MS = 3 * PING_INTERVAL_MS;

/** Bytes queued towards a WebSocket at which the other side is no longer read. A full screen as QUIC fits in it. */
export const HIGH_WATER_BYTES = 1024 * 1024;

/** Bytes queued towards a WebSocket at which the other side is read again: a quarter, so that it does not flutter. */
export const LOW_WATER_BYTES = HIGH_WATER_BYTES / 4;

/** Milliseconds an ending connection has to take what is still queued for it; then it is cut. */
export const CLOSE_DEADLINE_MS = 5_000;

/**
 * Milliseconds a peer may take no byte at all while bytes wait for it; then it is cut. Long enough for a laptop lid or
 * a debugger, short enough that a client which never reads does not hold its stream for ever.
 */
export const STALL_LIMIT_MS = 60_000;

/** Milliseconds that ending connections have when the relay itself ends: Ctrl-C should feel immediate. */
export const SHUTDOWN_DEADLINE_MS = 1_000;

/**
 * Milliseconds without progress after which saving the machine of a headless host is given up when the command ends. Longer than the page
 * itself waits (30 s), so that the page's own words are heard.
 */
export const PARTING_STALL_MS = 45_000;

/** Milliseconds between two lines about how far saving the machine is: a person at a terminal, or a log. */
export const SAVING_LINE_INTERVAL_MS = 1_000;

/** Milliseconds a refused TCP client has to send its link message, to which the refusal is the answer. */
export const REFUSAL_DEADLINE_MS = 2_000;

/**
 * Bytes of a WebSocket that a client may send before its stream is joined. A message is only here when it is whole, so that
 * what is under way counts too; a link is below 4.3 KiB.
 */
export const MAX_EARLY_WEBSOCKET_BYTES = 4 * MAX_EARLY_BYTES;

/** Bytes from which a WebSocket message is no small one: what it carries costs more than that it comes. */
export const SMALL_FRAME_BYTES = 1024;

/**
 * Small WebSocket messages from one connection that are read without a pause: some seconds of the fastest hand. Those that its socket had
 * already given us (some 64 KiB) come on top.
 */
export const FRAMES_AT_ONCE = 2048;

/** Milliseconds in which one more is earned: 4000 a second, four times the reports of the fastest mouse. */
export const FRAME_REST_MS = 0.25;

/** Messages without a byte, pings and pongs from one connection: no client needs one of the first, and some others a minute. */
export const EMPTY_FRAMES_AT_ONCE = 256;

/** Milliseconds in which one more of these is earned; one that comes sooner ends the connection. */
export const EMPTY_FRAME_REST_MS = 500;

/**
 * Frames that one WebSocket message may come in: browsers cut at 64 KiB or more. All frames of a message are read in one turn, also those
 * without a byte in them.
 */
export const MAX_MESSAGE_FRAMES = 128;

/** The same on a stream of the hosting tab, which has shown that it may, and whose messages are larger. */
export const MAX_STREAM_MESSAGE_FRAMES = 4096;

/** Small messages of one client that travel to the hosting tab without waiting for others to go with them. */
export const MESSAGES_AT_ONCE = 64;

/** Milliseconds in which one more is earned: below what a hand feels, and 500 messages a second are nothing for the tab. */
export const MESSAGE_REST_MS = 2;

/** Lines of one kind that the log says within an interval; of more it says how many, so that a flood fills no terminal. */
export const LOG_BURST = 10;

/** Milliseconds of such an interval. */
export const LOG_INTERVAL_MS = 5_000;

/** Kinds of lines that are counted apart at once (wrong passwords are, by address); those beyond are one kind. */
export const LOG_KINDS = 64;

/** Bytes of one control message. The largest, welcome, is some hundred bytes. */
export const MAX_CONTROL_MESSAGE_BYTES = 16 * 1024;

/** Bytes of one WebSocket message from a client. SPICE messages of clients stay below 64 KiB + headers. */
export const MAX_CLIENT_MESSAGE_BYTES = 1024 * 1024;

/** Bytes of one WebSocket message on a stream from the hosting tab: a raw 2560x1600 picture in one write. */
export const MAX_STREAM_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Control connections at once that have shown the secret: the hosting tab, and others that wait for its place. */
export const MAX_CONTROL_CONNECTIONS = 8;

/** HTTP connections at once, upgraded ones not counted. A browser opens six; one more cuts the one that does least. */
export const MAX_HTTP_CONNECTIONS = 512;

/** Milliseconds an HTTP request has for its headers: those of browsers are some hundred bytes, in one piece. */
export const HTTP_HEADERS_MS = 10_000;

/** Milliseconds an HTTP request has in all; ours have no body. */
export const HTTP_REQUEST_MS = 20_000;

/** Milliseconds between two looks at which requests are late. */
export const HTTP_LOOK_MS = 1_000;

/** Milliseconds of one turn of the event loop that answers by HTTP may take: SPICE goes through the same loop, and has its turn between. */
export const HTTP_TURN_MS = 2;

/** The share of the time that answers by HTTP may take in the long run, files included: a flood of requests is not to have the processor. */
export const HTTP_SHARE = 0.5;

/** Milliseconds that they may take beforehand: the page is some 30 requests. */
export const HTTP_BURST_MS = 50;

/** Milliseconds that a request counts for at least: what follows later, such as looking for a file, is not measured. */
export const HTTP_REQUEST_LEAST_MS = 0.5;

/** Bytes from which a file of the page or guest is worth a compressed copy: below, it fits into one packet anyway. */
export const MIN_COMPRESSED_BYTES = 1_400;

/**
 * Milliseconds an idle HTTP connection behind a reverse proxy is kept: longer than nginx (60 s) keeps its end, so that it never sends a
 * request into a connection that we are just closing.
 */
export const PROXY_KEEP_ALIVE_MS = 65_000;

/**
 * Control connections at once that have said no good hello yet. One more cuts the oldest of them, never the newcomer: an
 * honest tab says its hello at once, so nobody keeps it out by being many.
 */
export const MAX_UNPROVEN_CONTROLS = 256;

/**
 * Milliseconds that the place of a hosting tab that went is kept for it, before a tab that waits gets it: a reload, or the
 * first tries after a lost connection, take less.
 */
export const HOST_RETURN_MS = 5_000;

/**
 * Milliseconds that the connections of clients are kept whose hosting tab went without a word: as long as core keeps sessions without a
 * machine. A reload takes seconds, a new browser with a restored machine ten.
 */
export const KEPT_CLIENT_MS = 30_000;

/**
 * Milliseconds that a client is kept whose stream vanished while its tab still hosts: the control connection ends a moment later, or that
 * tab gave up this client alone.
 */
export const HOST_LOSS_MS = 3_000;

/** The limits of one relay; tests lower them. Each is described at the constant of its default. */
export interface RelayLimits {
  readonly clientConnections: number;
  readonly linkingClients: number;
  readonly waitingConnections: number;
  readonly linkGraceMs: number;
  readonly pendingClients: number;
  readonly linksAtOnce: number;
  readonly linkRestMs: number;
  readonly linkDeadlineMs: number;
  readonly earlyBytes: number;
  readonly earlyWebSocketBytes: number;
  readonly framesAtOnce: number;
  readonly frameRestMs: number;
  readonly emptyFramesAtOnce: number;
  readonly emptyFrameRestMs: number;
  readonly messagesAtOnce: number;
  readonly messageRestMs: number;
  readonly joinDeadlineMs: number;
  readonly helloDeadlineMs: number;
  readonly pingIntervalMs: number;
  readonly silenceLimitMs: number;
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
  readonly closeDeadlineMs: number;
  readonly stallLimitMs: number;
  readonly shutdownDeadlineMs: number;
  readonly refusalDeadlineMs: number;
  readonly logIntervalMs: number;
  readonly controlConnections: number;
  readonly unprovenControls: number;
  readonly hostReturnMs: number;
  readonly keptClientMs: number;
  readonly hostLossMs: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  clientConnections: MAX_CLIENT_CONNECTIONS,
  linkingClients: MAX_LINKING_CLIENTS,
  waitingConnections: MAX_WAITING_CONNECTIONS,
  linkGraceMs: LINK_GRACE_MS,
  pendingClients: MAX_PENDING_CLIENTS,
  linksAtOnce: LINKS_AT_ONCE,
  linkRestMs: LINK_REST_MS,
  linkDeadlineMs: LINK_DEADLINE_MS,
  earlyBytes: MAX_EARLY_BYTES,
  earlyWebSocketBytes: MAX_EARLY_WEBSOCKET_BYTES,
  framesAtOnce: FRAMES_AT_ONCE,
  frameRestMs: FRAME_REST_MS,
  emptyFramesAtOnce: EMPTY_FRAMES_AT_ONCE,
  emptyFrameRestMs: EMPTY_FRAME_REST_MS,
  messagesAtOnce: MESSAGES_AT_ONCE,
  messageRestMs: MESSAGE_REST_MS,
  joinDeadlineMs: JOIN_DEADLINE_MS,
  helloDeadlineMs: HELLO_DEADLINE_MS,
  pingIntervalMs: PING_INTERVAL_MS,
  silenceLimitMs: SILENCE_LIMIT_MS,
  highWaterBytes: HIGH_WATER_BYTES,
  lowWaterBytes: LOW_WATER_BYTES,
  closeDeadlineMs: CLOSE_DEADLINE_MS,
  stallLimitMs: STALL_LIMIT_MS,
  shutdownDeadlineMs: SHUTDOWN_DEADLINE_MS,
  refusalDeadlineMs: REFUSAL_DEADLINE_MS,
  logIntervalMs: LOG_INTERVAL_MS,
  controlConnections: MAX_CONTROL_CONNECTIONS,
  unprovenControls: MAX_UNPROVEN_CONTROLS,
  hostReturnMs: HOST_RETURN_MS,
  keptClientMs: KEPT_CLIENT_MS,
  hostLossMs: HOST_LOSS_MS,
};

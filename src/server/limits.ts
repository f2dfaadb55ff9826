/**
 * Milliseconds that a connection has for its link message, and as many for its ticket once it has our key. spice-server has no deadline
 * here, so half-open links pile up; a stock client needs a fraction of a second, and a person is not asked for anything in between.
 */
export const LINK_DEADLINE_MS = 10_000;

/**
 * Links that may be in their handshake at once. A client opens about six; more than this is a flood. A newcomer always has a place: the
 * link goes that has said least for longest.
 */
export const MAX_LINKS = 64;

/** Milliseconds that a channel of a session that goes on waits for that session's main channel: the relay sends that first. */
export const RESUME_WAIT_MS = 10_000;

/**
 * Milliseconds that each step of a link has before the connection may lose its place to a newcomer, as long as others have had theirs: a
 * round trip around the world. The relay tells of 71 links a second, so eighteen at most are that young.
 */
export const LINK_STEP_GRACE_MS = 250;

/** Tickets that are looked at, or found wrong and not yet answered, at once: more than one address may have, so that others find one. */
export const PASSWORD_CHECKS = 20;

/** The same from one address. Many people may share one, so few places are long waits for them, and many are many guesses. */
export const PASSWORD_CHECKS_PER_ADDRESS = 16;

/** Wrong passwords in a row from one address that are answered at once: people mistype. */
export const PASSWORD_FAILURES_FREE = 2;

/** Milliseconds that the first wrong password after those waits for its answer; doubled with each further one. */
export const PASSWORD_DELAY_FIRST_MS = 250;

/**
 * Most milliseconds that a wrong password waits for its answer. With the checks per address that is four guesses a second, nothing
 * against eight random characters.
 */
export const PASSWORD_DELAY_MAX_MS = 4_000;

/** The same for guesses from many addresses, none of which has failed often: a person at another address waits no longer than this. */
export const PASSWORD_DELAY_MAX_ALL_MS = 2_000;

/**
 * Most milliseconds that a right password waits behind those who guess from the same address, however many they are: one that can be
 * looked at has a link's place, so there are never more before it than {@link MAX_LINKS}. It holds while the link keeps its place, which
 * only a flood of newer links, each with its ticket, takes away.
 */
export const PASSWORD_TURN_MAX_MS =
  Math.ceil(MAX_LINKS / PASSWORD_CHECKS_PER_ADDRESS) * PASSWORD_DELAY_MAX_MS;

/** Milliseconds without a wrong password after which those before are forgotten. */
export const PASSWORD_FORGET_MS = 10 * 60 * 1000;

/** Addresses whose wrong passwords are remembered; then the one quiet for longest is forgotten. */
export const PASSWORD_ADDRESSES = 1024;

/** Milliseconds that a ticket may wait to be looked at: beyond {@link PASSWORD_TURN_MAX_MS}, for guesses from many addresses at once. */
export const PASSWORD_WAIT_MS = 60_000;

/** Links that may share a ticket key while no fresh one is ready; each sealed ticket is taken once all the same. */
export const KEY_SHARES_MAX = 64;

/**
 * How many times as long as it was made the pool rests before the next ticket key: a flood of links costs a tenth of a processor in keys.
 * A pool that was emptied is full again within seconds; links that come meanwhile share the newest key.
 */
export const KEY_REST_TIMES = 9;

/** Clients (sessions) at once. Each costs a display pipe and its own encoding. One that has said nothing since its link gives way. */
export const MAX_CLIENTS = 32;

/**
 * Messages that may wait in the MainDispatcher: two channels of every client on each of four displays, all at once. What a red worker tells
 * beyond waits at its port; the end of a client, of which there is one for each, never does.
 */
export const MAIN_QUEUE_MESSAGES = 256;

/** Ticket keys made ahead of time. Each link needs its own, so that a ticket overheard cannot be used again; a client links about six channels. */
export const KEY_POOL_SIZE = 8;

/** AGENT_DATA messages a client may send before it gets tokens back (REDS_AGENT_WINDOW_SIZE). */
export const AGENT_WINDOW = 10;

/** Tokens are given back in this number (REDS_TOKENS_TO_SEND). */
export const AGENT_TOKENS_TO_SEND = 5;

/**
 * Bytes from the agent that may wait for one client before the guest's agent must wait too: a few turns of a token round trip. The
 * slowest client sets the pace, as in spice-server, until {@link AGENT_CLIENT_DEADLINE_MS}.
 */
export const AGENT_CLIENT_QUEUE = 64 * 1024;

/**
 * Milliseconds after which a client that takes nothing from the agent, or leaves a message to it unfinished, is cut off from it
 * (spice-server: 30 s without tokens).
 */
export const AGENT_CLIENT_DEADLINE_MS = 30_000;

/**
 * Bytes of zeros that complete the message of a client which left in the middle. Beyond this the agent is told to forget everything,
 * because writing megabytes of zeros would keep the other clients from it for longer.
 */
export const AGENT_PADDING_MAX = 64 * 1024;

/** Changes of mouse buttons that may wait for the agent before the pointer waits for it; a person makes a few per second. */
export const AGENT_MOUSE_QUEUE = 32;

/** Milliseconds for one write to the agent: a paused guest takes nothing, and its agent is still there when it goes on. */
export const AGENT_WRITE_DEADLINE_MS = 60 * 60 * 1000;

/** Bytes of one piece towards or from the agent (VD_AGENT_MAX_DATA_SIZE). */
export const AGENT_PIECE = 2048;

/** Bytes of scancodes given to the guest at once: a key or two, since those of all others wait behind them. */
export const KEYS_PIECE_BYTES = 4;

/** Bytes of a client's scancodes that may wait for the guest before its channel is read no further (one message may overshoot). */
export const KEYS_HOLD_BYTES = 64;

/** Presses, releases and steps of the wheel of a client that may wait for the guest before its channel is read no further. */
export const POINTER_HOLD = 32;

/**
 * Bytes of scancodes of the tab's own screen that may wait for the guest. The page's keys cannot be held back: this is ten thousand
 * characters, and what comes beyond is said to be lost.
 */
export const KEYS_LOCAL_BYTES = 64 * 1024;

/** Changes of the pointer of the tab's own screen that may wait for the guest; beyond, only how its buttons are in the end. */
export const POINTER_LOCAL = 1024;

/**
 * Clients that left while the guest had not taken all they typed. Beyond, the oldest one's text goes, and only the keys that it held are
 * let go.
 */
export const HAND_LEFT_MAX = 32;

/** Milliseconds for one piece of input: a paused guest takes nothing, and the person's keys are still to be there when it goes on. */
export const HAND_DEADLINE_MS = 24 * 60 * 60 * 1000;

/**
 * Milliseconds between two words to page and relay about who is connected. The page draws what it is told anew, which hundreds of sessions
 * a second would make it do for nobody's eyes.
 */
export const STATE_PAUSE_MS = 250;

/** Milliseconds between two words to a person about dropped input. */
export const DROPPED_NOTICE_MS = 10_000;

/** Milliseconds that the agent may leave the pointer unread before only its last state is kept, with a word. */
export const AGENT_MOUSE_DEADLINE_MS = 30_000;

/** Milliseconds after which the guest's lock keys are told to the clients (KEY_MODIFIERS_TTL). */
export const KEY_MODIFIERS_TTL_MS = 2_000;

/** Bytes of filler in the bandwidth test's PING (NET_TEST_BYTES). */
export const NET_TEST_BYTES = 256_000;

/** Sessions whose line is measured without a pause between them. */
export const NET_TESTS_AT_ONCE = 8;

/**
 * Milliseconds in which one more measurement is earned. Each is 250 KiB for a link of some hundred bytes: sessions that come faster are
 * taken for fast ones, as most are.
 */
export const NET_TEST_REST_MS = 2_000;

/** Bits per second below which a client counts as low bandwidth. */
export const LOW_BANDWIDTH = 10 * 1024 * 1024;

/** Bytes of a message body on the main channel: 11 agent pieces and a control message. */
export const MAIN_RECEIVE_BUFFER = 4096 + 11 * 2048;

/** Bytes of a message body on the inputs channel. */
export const INPUTS_RECEIVE_BUFFER = 4096;

/**
 * Milliseconds between pings from the tab to the relay, and a missed one after which the relay counts as gone: the page must not say for
 * long that clients can join when they cannot. Nobody is cut off by a false alarm.
 */
export const RELAY_PING_INTERVAL_MS = 5_000;

/** Milliseconds that the relay has to answer a new connection. A browser waits for minutes, and a network that came back is not found so. */
export const RELAY_DIAL_DEADLINE_MS = 10_000;

/** Milliseconds before a relay that was lost is dialled again; doubled each time. */
export const RELAY_RETRY_FIRST_MS = 500;

/** Most milliseconds between two such tries: a relay that comes back is found while somebody still waits for it. */
export const RELAY_RETRY_MAX_MS = 15_000;

/**
 * Messages that may wait for a client on core's own channels. They are small and rare; a client that leaves this many is not reading,
 * and is disconnected before CLIENT_STALL_TIMEOUT_MS of the channels would do it.
 */
export const CORE_PIPE_LIMIT = 1024;

/** Milliseconds between two looks at whether a main channel is alive (CLIENT_CONNECTIVITY_TIMEOUT): a dead one is noticed in two. */
export const CONNECTIVITY_INTERVAL_MS = 30_000;

/** Milliseconds more for a client that seems dead: our own thread may not have come to what it sent. */
export const CONNECTIVITY_GRACE_MS = 1_000;

/**
 * Milliseconds for a red worker to carry out and send what it has when the machine stops: STOP_FLUSH_TIMEOUT_MS of red, after which it
 * disconnects whoever holds it up, and some for a busy thread.
 */
export const STOP_DEADLINE_MS = 35_000;

/** Milliseconds for a red worker to let go of a channel; a hung one's wire is then cut here, and the client is gone. */
export const DISCONNECT_DEADLINE_MS = 5_000;

/** Milliseconds that clients are given to read why they are disconnected. */
export const DISCONNECT_GRACE_MS = 200;

/**
 * Milliseconds that sessions wait for a machine whose page or thread is gone. A reload with a kept state takes two to
 * six seconds, on a busy machine more; who watches a frozen picture for longer thinks that it has failed.
 */
export const DETACH_GRACE_MS = 30_000;

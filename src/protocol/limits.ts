/** Bytes of one link message (SpiceLinkMess with capabilities). Default of spice-server: a link carries only a few words. */
export const LINK_MESSAGE_MAX = 4096;

/** Capability words a peer may announce per list. spice-server's own bound (CVE-2016-9578); today's lists have one word. */
export const LINK_CAPS_MAX = 1024;

/** Body bytes of a message that has no better bound: base messages and small control messages. Holds every fixed-size one. */
export const CONTROL_MESSAGE_MAX = 4096;

/**
 * Body bytes of a client's message, known fields and whatever follows them: the largest receive buffer of spice-server's channels (main:
 * 4 KiB and eleven agent pieces). Each channel sets its own, lower or equal.
 */
export const CLIENT_MESSAGE_MAX = 4096 + 11 * 2048;

/** Body bytes of a PING or MIGRATE_DATA. The net test of the main channel fills a PING with 250 KiB. */
export const PING_MESSAGE_MAX = 256 * 1024 + 64;

/** Body bytes of one AGENT_DATA: VD_AGENT_MAX_DATA_SIZE, one piece of an agent message. */
export const AGENT_DATA_MAX = 2048;

/** Body bytes of one drawing message. A raw 32 bit 8192x4096 picture is 128 MiB; larger ones are a peer's mistake. */
export const DRAW_MESSAGE_MAX = 160 * 1024 * 1024;

/** Body bytes of one video frame. A lossless 4K JPEG stays far below. */
export const STREAM_DATA_MAX = 32 * 1024 * 1024;

/** Body bytes of a cursor message: the largest shape that spice-server takes is 1024x1024 at 32 bits plus a mask. */
export const CURSOR_MESSAGE_MAX = 5 * 1024 * 1024;

/** Body bytes of an audio message; spice-server reads at most 1920 + 64 bytes of recorded sound at once, players send less than this. */
export const AUDIO_MESSAGE_MAX = 64 * 1024;

/** Body bytes of a vmc, usbredir, webdav or port message: spice-server's 64 KiB read plus 32, doubled for uncompressible blocks. */
export const VMC_MESSAGE_MAX = 128 * 1024;

/** Body bytes of a whole agent message after its pieces are joined. Clipboard pictures are the largest; VD_AGENT has no limit of its own. */
export const AGENT_MESSAGE_MAX = 100 * 1024 * 1024;

/** Monitors in one VDAgentMonitorsConfig, as spice-server bounds the message it reassembles. */
export const AGENT_MONITORS_MAX = 256;

/** Byte fields at least this long are handed out by reference from encodeMessageParts; below it, copying is cheaper than another part. */
export const PART_THRESHOLD = 4096;

/** Bytes first allocated for a body that arrives in pieces; doubled as it fills, so a header that lies about its size costs nothing. */
export const BODY_BUFFER_MIN = 4096;

/** Side of a cursor in pixels, of the guest's and as it goes to clients. Drivers use 64; clients ignore larger ones long before this. */
export const MAX_CURSOR_SIDE = 512;

/** Heads of a monitors config, of the guest's, of a client's, and as it goes to clients: the QXL ROM has room for 64. */
export const MAX_HEADS = 64;

/** QXL devices of a machine, each with its display and cursor channel: remote-viewer's menu of displays has four. */
export const MAX_DISPLAYS = 4;

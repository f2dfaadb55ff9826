import type { ByteEnd } from "./byte-end.ts";
import type { RelayLimits } from "./limits.ts";
import { LINK_HEADER_BYTES, linkStart, SPICE_MAGIC } from "./link-start.ts";

/** error u32, pub_key[162], num_common_caps u32, num_channel_caps u32, caps_offset u32. */
const LINK_REPLY_BYTES = 178;
/** SpiceLinkErr ERROR: the general one. Clients show it as a failed link. */
const SPICE_LINK_ERR_ERROR = 1;
/** SpiceLinkErr INVALID_MAGIC: what was sent is not SPICE. */
export const SPICE_LINK_ERR_INVALID_MAGIC = 2;

/**
 * The bytes of a SpiceLinkHeader with a SpiceLinkReply that says no (spice/protocol.h; little-endian, packed).
 * The protocol has no text here: the words go to the relay's log.
 */
export function linkRefusal(error: number = SPICE_LINK_ERR_ERROR): Buffer {
  const reply = Buffer.alloc(LINK_HEADER_BYTES + LINK_REPLY_BYTES);
  reply.writeUInt32LE(SPICE_MAGIC, 0);
  reply.writeUInt32LE(2, 4);
  reply.writeUInt32LE(2, 8);
  reply.writeUInt32LE(LINK_REPLY_BYTES, 12);
  reply.writeUInt32LE(error, LINK_HEADER_BYTES);
  reply.writeUInt32LE(LINK_REPLY_BYTES, LINK_HEADER_BYTES + 174);
  return reply;
}

/**
 * Refuses a TCP client in its own protocol. The answer waits for the link message: a socket closed with unread bytes
 * is reset, and the reset would overtake the answer.
 */
export function refuseLink(client: ByteEnd, limits: RelayLimits, error?: number): void {
  let done = false;
  const answer = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    client.attach({ data() {}, ended() {} });
    client.write(linkRefusal(error));
    client.end(0, "");
  };
  const look = () => {
    if (client.endedBecause !== undefined || linkStart(client.early) !== "more") answer();
  };
  const timer = setTimeout(answer, limits.refusalDeadlineMs);
  client.onEarly = look;
  look();
}

/** "REDQ", u32 little-endian (spice/protocol.h SPICE_MAGIC). */
export const SPICE_MAGIC = 0x51444552;
/** SpiceLinkHeader: magic, major, minor, size; each u32. */
export const LINK_HEADER_BYTES = 16;
/** The sealed password that follows the reply. */
export const TICKET_BYTES = 128;
/** spice-server takes no larger link message. */
const MAX_LINK_MESSAGE_BYTES = 4096;
/** SpiceLinkMess without capabilities. */
const MIN_LINK_MESSAGE_BYTES = 18;

/**
 * What a connection's first bytes are: `more` must come; `other` is no SPICE client; else the bytes of the whole link
 * message. A header that announces an impossible size is whole: nothing is to be waited for, and the host says what is wrong.
 */
export function linkStart(bytes: Buffer): "more" | "other" | number {
  const magic = Buffer.from("REDQ");
  const seen = Math.min(bytes.length, 4);
  if (bytes.compare(magic, 0, seen, 0, seen) !== 0) return "other";
  if (bytes.length < LINK_HEADER_BYTES) return "more";
  const size = bytes.readUInt32LE(12);
  if (size < MIN_LINK_MESSAGE_BYTES || size > MAX_LINK_MESSAGE_BYTES) return LINK_HEADER_BYTES;
  return bytes.length < LINK_HEADER_BYTES + size ? "more" : LINK_HEADER_BYTES + size;
}

import { ProtocolError } from "./errors.ts";
import { LinkErr } from "./enums.ts";
import { LINK_CAPS_MAX, LINK_MESSAGE_MAX } from "./limits.ts";
import { decodeStruct, encodeStruct } from "./message.ts";
import type { Infer } from "./schema.ts";
import { bytes, enumeration, struct, u32, u8 } from "./schema.ts";

/** "REDQ", the first four bytes of every link, read as a little-endian u32. */
export const LINK_MAGIC = 0x51444552;
export const VERSION_MAJOR = 2;
export const VERSION_MINOR = 2;
/** Bytes of a SpiceLinkHeader. */
export const LINK_HEADER_SIZE = 16;
/** Bytes of a SpiceLinkMess without its capability words. */
export const LINK_MESS_SIZE = 18;
/** Bytes of a SpiceLinkReply without its capability words. */
export const LINK_REPLY_SIZE = 178;
/** Bytes of the DER SubjectPublicKeyInfo of an RSA-1024 key. */
export const TICKET_PUBKEY_SIZE = 162;
/** Bytes of the RSA-OAEP encrypted ticket. */
export const TICKET_SIZE = 128;
/** Longest password of a ticket, in bytes (SPICE_MAX_PASSWORD_LENGTH). */
export const MAX_PASSWORD_LENGTH = 60;

/** Same as LinkErr: codes of a SpiceLinkReply and of the link result. */
export const LinkError = LinkErr;
export type LinkError = LinkErr;

/** SpiceLinkAuthMechanism values. */
export const AuthMechanism = { Spice: 1, Sasl: 2 } as const;

/** SpiceLinkHeader; `size` counts what follows it. */
export const linkHeader = struct(
  { magic: u32, majorVersion: u32, minorVersion: u32, size: u32 },
  "LinkHeader",
);
/** The first 16 bytes of either direction. */
export type LinkHeader = Infer<typeof linkHeader>;

/** SpiceLinkMess without the capability words that `capsOffset` leads to. */
export const linkMess = struct(
  {
    connectionId: u32,
    channelType: u8,
    channelId: u8,
    numCommonCaps: u32,
    numChannelCaps: u32,
    capsOffset: u32,
  },
  "LinkMess",
);

/** SpiceLinkReply without the capability words that `capsOffset` leads to. */
export const linkReply = struct(
  {
    error: enumeration(u32, "LinkErr", LinkErr),
    pubKey: bytes(TICKET_PUBKEY_SIZE),
    numCommonCaps: u32,
    numChannelCaps: u32,
    capsOffset: u32,
  },
  "LinkReply",
);

/** SpiceLinkAuthMechanism: how the client will authenticate, if both sides have AUTH_SELECTION. */
export const linkAuthMechanism = struct(
  { authMechanism: enumeration(u32, "AuthMechanism", AuthMechanism) },
  "LinkAuthMechanism",
);

/** The last word of the link stage, a LinkErr. */
export const linkResult = struct({ error: enumeration(u32, "LinkErr", LinkErr) }, "LinkResult");

/** What a client asks for when it opens a channel. Capabilities are u32 words, see `caps.ts`. */
export interface LinkMess {
  /** 0 opens a session (main channel only); else the session id of MainInit. */
  readonly connectionId: number;
  readonly channelType: number;
  readonly channelId: number;
  readonly commonCaps: readonly number[];
  readonly channelCaps: readonly number[];
}

/** What a server answers to a link. */
export interface LinkReply {
  readonly error: number;
  /** Exactly {@link TICKET_PUBKEY_SIZE} bytes, zeros if there is no ticket to encrypt. */
  readonly pubKey: Uint8Array;
  readonly commonCaps: readonly number[];
  readonly channelCaps: readonly number[];
}

/**
 * The header of a link message or reply.
 * @param bytes at least {@link LINK_HEADER_SIZE}.
 * @throws ProtocolError `bad-magic` if this is not SPICE, `bad-link` if what follows is too large. A major version other than
 * {@link VERSION_MAJOR} is the caller's to refuse (VERSION_MISMATCH).
 */
export function decodeLinkHeader(bytes: Uint8Array): LinkHeader {
  const header = decodeStruct("linkHeader", linkHeader, bytes);
  if (header.magic !== LINK_MAGIC) {
    throw new ProtocolError(
      "bad-magic",
      `the stream starts with 0x${header.magic.toString(16)}, SPICE starts with "REDQ"`,
    );
  }
  if (header.size > LINK_MESSAGE_MAX) {
    throw new ProtocolError(
      "bad-link",
      `the link message announces ${header.size} bytes, ${LINK_MESSAGE_MAX} are allowed`,
    );
  }
  return header;
}

/** Header and link message, as a client starts a channel. */
export function encodeLinkMess(value: LinkMess): Uint8Array {
  const { connectionId, channelType, channelId } = value;
  const body = { connectionId, channelType, channelId, ...capsFields(value, LINK_MESS_SIZE) };
  return withHeader(encodeStruct("linkMess", linkMess, body), value);
}

/**
 * The link message which follows the header.
 * @param bytes all of it, as long as the header says.
 * @throws SchemaError or ProtocolError `bad-link`; the answer to both is INVALID_DATA.
 */
export function decodeLinkMess(bytes: Uint8Array): LinkMess {
  const { connectionId, channelType, channelId, ...caps } = decodeStruct("linkMess", linkMess, bytes);
  return { connectionId, channelType, channelId, ...decodeCaps(bytes, caps) };
}

/** Header and link reply, as a server answers. */
export function encodeLinkReply(value: LinkReply): Uint8Array {
  const body = { error: value.error, pubKey: value.pubKey, ...capsFields(value, LINK_REPLY_SIZE) };
  return withHeader(encodeStruct("linkReply", linkReply, body), value);
}

/**
 * The link reply which follows the header.
 * @throws SchemaError or ProtocolError `bad-link`.
 */
export function decodeLinkReply(bytes: Uint8Array): LinkReply {
  const { error, pubKey, ...caps } = decodeStruct("linkReply", linkReply, bytes);
  return { error, pubKey, ...decodeCaps(bytes, caps) };
}

/** The reply of a server that refuses a link: no key, no capabilities. */
export function encodeLinkError(error: number): Uint8Array {
  return encodeLinkReply({
    error,
    pubKey: new Uint8Array(TICKET_PUBKEY_SIZE),
    commonCaps: [],
    channelCaps: [],
  });
}

/** The four bytes that end the link stage. */
export function encodeLinkResult(error: number): Uint8Array {
  return encodeStruct("linkResult", linkResult, { error });
}

interface CapsFields {
  readonly numCommonCaps: number;
  readonly numChannelCaps: number;
  readonly capsOffset: number;
}

interface Caps {
  readonly commonCaps: readonly number[];
  readonly channelCaps: readonly number[];
}

function capsFields(caps: Caps, capsOffset: number): CapsFields {
  return { numCommonCaps: caps.commonCaps.length, numChannelCaps: caps.channelCaps.length, capsOffset };
}

function decodeCaps(bytes: Uint8Array, fields: CapsFields): Caps {
  const { numCommonCaps, numChannelCaps, capsOffset } = fields;
  if (numCommonCaps > LINK_CAPS_MAX || numChannelCaps > LINK_CAPS_MAX) {
    throw new ProtocolError(
      "bad-link",
      `${numCommonCaps} and ${numChannelCaps} capability words, ${LINK_CAPS_MAX} are allowed`,
    );
  }
  const end = capsOffset + 4 * (numCommonCaps + numChannelCaps);
  if (end > bytes.length) {
    throw new ProtocolError(
      "bad-link",
      `the capabilities end at byte ${end} of a link message of ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = (count: number, at: number) =>
    Array.from({ length: count }, (_, index) => view.getUint32(at + 4 * index, true));
  return {
    commonCaps: words(numCommonCaps, capsOffset),
    channelCaps: words(numChannelCaps, capsOffset + 4 * numCommonCaps),
  };
}

function withHeader(body: Uint8Array, caps: Caps): Uint8Array {
  const words = [...caps.commonCaps, ...caps.channelCaps];
  const size = body.length + 4 * words.length;
  const result = new Uint8Array(LINK_HEADER_SIZE + size);
  const header = { magic: LINK_MAGIC, majorVersion: VERSION_MAJOR, minorVersion: VERSION_MINOR, size };
  result.set(encodeStruct("linkHeader", linkHeader, header));
  result.set(body, LINK_HEADER_SIZE);
  const view = new DataView(result.buffer);
  words.forEach((word, index) => view.setUint32(LINK_HEADER_SIZE + body.length + 4 * index, word, true));
  return result;
}

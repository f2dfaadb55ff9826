import type { ChannelCapabilities } from "../dispatch/index.ts";
import {
  AuthMechanism,
  ChannelType,
  CommonCap,
  DisplayCap,
  InputsCap,
  LINK_HEADER_SIZE,
  LINK_MAGIC,
  LINK_MESSAGE_MAX,
  LINK_MESS_SIZE,
  LinkError,
  MainCap,
  TICKET_SIZE,
  VERSION_MAJOR,
  capsToWords,
  decodeLinkMess,
  decodeStruct,
  encodeLinkError,
  encodeLinkReply,
  encodeLinkResult,
  hasCap,
  linkAuthMechanism,
  linkHeader,
} from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { LINK_DEADLINE } from "./limits.ts";
import { LinkAborted, LinkReader } from "./link-reader.ts";
import type { TicketKeyPool, Ticketing } from "./ticket.ts";

/** A connection whose client asked for a channel and showed a good ticket. The link result is still owed. */
export interface AuthenticatedLink {
  readonly stream: RedStream;
  readonly connectionId: number;
  readonly channelType: number;
  readonly channelId: number;
  readonly capabilities: ChannelCapabilities;
  readonly miniHeader: boolean;
  /** Ends the connection at its driver, whoever has the stream by then. */
  readonly cut?: (reason: string) => void;
}

/** Why a connection did not become a channel; `code` was told to the client where the protocol has a way to. */
export class LinkRefused extends Error {
  override readonly name = "LinkRefused";
  readonly code: number;
  constructor(code: number, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Bits 0, 1 and 3: we do tickets, not SASL. */
const COMMON_CAPS = capsToWords([CommonCap.ProtocolAuthSelection, CommonCap.AuthSpice, CommonCap.MiniHeader]);

/** What we announce per channel type: only what we keep. */
const CHANNEL_CAPS: Readonly<Record<number, readonly number[]>> = {
  [ChannelType.Main]: capsToWords([MainCap.NameAndUuid, MainCap.AgentConnectedTokens]),
  [ChannelType.Display]: capsToWords([DisplayCap.MonitorsConfig, DisplayCap.PrefCompression]),
  [ChannelType.Inputs]: capsToWords([InputsCap.KeyScancode]),
};

/** What a handshake needs from Reds. */
export interface LinkContext {
  readonly keys: TicketKeyPool;
  readonly ticketing: Ticketing;
  /** Milliseconds; defaults to {@link LINK_DEADLINE}. */
  readonly deadline?: number;
}

/**
 * The server's side of the link stage up to the ticket (spice-server's reds_handle_read_magic … reds_handle_ticket). Answers a bad
 * client with the protocol's own error.
 * @throws LinkRefused, LinkAborted. The stream is closed then.
 */
export async function authenticateLink(
  stream: RedStream,
  context: LinkContext,
): Promise<Omit<AuthenticatedLink, "cut">> {
  const reader = new LinkReader(stream);
  const deadline = context.deadline ?? LINK_DEADLINE;
  const timer = setTimeout(() => reader.abort(`no whole link within ${deadline} ms`), deadline);
  try {
    const link = await handshake(stream, reader, context);
    reader.release();
    return link;
  } catch (error) {
    reader.release();
    stream.close(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function refuse(
  stream: RedStream,
  encode: (code: number) => Uint8Array,
  code: number,
  detail: string,
): LinkRefused {
  stream.write(encode(code));
  return new LinkRefused(code, detail);
}

async function handshake(
  stream: RedStream,
  reader: LinkReader,
  context: LinkContext,
): Promise<AuthenticatedLink> {
  // Each part is judged as soon as it is there, so that a client which sends less than a header still hears why.
  const magic = await reader.read(4);
  if (new DataView(magic.buffer).getUint32(0, true) !== LINK_MAGIC) {
    throw refuse(
      stream,
      encodeLinkError,
      LinkError.InvalidMagic,
      "the connection does not begin with REDQ: not a SPICE client",
    );
  }
  const rest = await reader.read(LINK_HEADER_SIZE - 4);
  const headerBytes = new Uint8Array(LINK_HEADER_SIZE);
  headerBytes.set(magic);
  headerBytes.set(rest, 4);
  const header = decodeStruct("linkHeader", linkHeader, headerBytes);
  if (header.majorVersion !== VERSION_MAJOR) {
    const detail = `the client speaks SPICE ${header.majorVersion}, we speak ${VERSION_MAJOR}`;
    throw refuse(stream, encodeLinkError, LinkError.VersionMismatch, detail);
  }
  if (header.size < LINK_MESS_SIZE || header.size > LINK_MESSAGE_MAX) {
    const detail = `the link message has ${header.size} bytes; ${LINK_MESS_SIZE} to ${LINK_MESSAGE_MAX} are allowed`;
    throw refuse(stream, encodeLinkError, LinkError.InvalidData, detail);
  }
  const body = await reader.read(header.size);
  let message: ReturnType<typeof decodeLinkMess>;
  try {
    message = decodeLinkMess(body);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw refuse(stream, encodeLinkError, LinkError.InvalidData, detail);
  }

  const key = await context.keys.take().catch((error: unknown) => {
    throw refuse(stream, encodeLinkError, LinkError.Error, `no ticket key: ${String(error)}`);
  });
  const channelCaps = CHANNEL_CAPS[message.channelType] ?? [];
  stream.write(
    encodeLinkReply({ error: LinkError.Ok, pubKey: key.publicKey, commonCaps: COMMON_CAPS, channelCaps }),
  );

  if (hasCap(message.commonCaps, CommonCap.ProtocolAuthSelection)) {
    const { authMechanism } = decodeStruct("linkAuthMechanism", linkAuthMechanism, await reader.read(4));
    if (authMechanism !== AuthMechanism.Spice) {
      const detail = `the client chose authentication ${authMechanism}; we offer tickets (${AuthMechanism.Spice}) only`;
      throw refuse(stream, encodeLinkResult, LinkError.InvalidData, detail);
    }
  }
  const ticket = await reader.read(TICKET_SIZE);
  const password = context.ticketing.required ? await key.open(ticket) : undefined;
  if (!context.ticketing.accepts(password)) {
    throw refuse(stream, encodeLinkResult, LinkError.PermissionDenied, "wrong password");
  }
  return {
    stream,
    connectionId: message.connectionId,
    channelType: message.channelType,
    channelId: message.channelId,
    capabilities: { common: message.commonCaps, channel: message.channelCaps },
    miniHeader: hasCap(message.commonCaps, CommonCap.MiniHeader),
  };
}

/** Ends the link stage well: the next byte is the channel's first message. */
export function acceptLink(link: AuthenticatedLink): void {
  link.stream.write(encodeLinkResult(LinkError.Ok));
}

/** Ends the link stage with an error and closes the stream. */
export function refuseLink(link: AuthenticatedLink, code: number, detail: string): LinkRefused {
  const error = refuse(link.stream, encodeLinkResult, code, detail);
  link.stream.close(detail);
  return error;
}

export { LinkAborted };

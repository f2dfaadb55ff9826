import type { LinkReply } from "../protocol/index.ts";
import {
  AuthMechanism,
  CommonCap,
  LINK_HEADER_SIZE,
  LinkErr,
  VERSION_MAJOR,
  capsToWords,
  decodeLinkHeader,
  decodeLinkReply,
  encodeLinkMess,
  encodeStruct,
  hasCap,
  linkAuthMechanism,
} from "../protocol/index.ts";
import { ByteReader } from "./byte-reader.ts";
import { ClientError, LinkRefusedError } from "./errors.ts";
import { LINK_REPLY_DEADLINE_MS, LINK_RESULT_DEADLINE_MS } from "./limits.ts";
import { sealTicket } from "./ticket.ts";
import type { ByteTransport } from "./transport.ts";

/** What a client asks for on a new connection. */
export interface LinkRequest {
  /** SpiceChannelType. */
  readonly channelType: number;
  /** @default 0 */
  readonly channelId?: number;
  /** The session to join; 0 opens one, on the main channel. @default 0 */
  readonly connectionId?: number;
  /** @default "" */
  readonly password?: string;
  /** Capability words. @default {@link COMMON_CAPS} */
  readonly commonCaps?: readonly number[];
  /** @default none */
  readonly channelCaps?: readonly number[];
}

/** How the link stage is run. */
export interface LinkOptions {
  /** @default {@link LINK_REPLY_DEADLINE_MS} */
  readonly replyDeadlineMs?: number;
  /** @default {@link LINK_RESULT_DEADLINE_MS} */
  readonly resultDeadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** What client and server agreed on. */
export interface LinkTerms {
  readonly miniHeader: boolean;
  /** The server's capability words. */
  readonly commonCaps: readonly number[];
  readonly channelCaps: readonly number[];
}

/** We do tickets, not SASL, and mini headers. */
export const COMMON_CAPS: readonly number[] = capsToWords([
  CommonCap.ProtocolAuthSelection,
  CommonCap.AuthSpice,
  CommonCap.MiniHeader,
]);

/**
 * Runs the client's side of the link stage. The next byte of the transport is then the channel's first message; after an error the
 * transport is closed.
 * @throws LinkRefusedError in the server's own words; ClientError for everything else
 */
export async function link(
  transport: ByteTransport,
  request: LinkRequest,
  options: LinkOptions = {},
): Promise<LinkTerms> {
  try {
    return await handshake(transport, request, options);
  } catch (error) {
    transport.close(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** The link message of a request, header included. */
export function encodeLinkRequest(request: LinkRequest): Uint8Array {
  const { channelType, channelId = 0, connectionId = 0 } = request;
  const { commonCaps = COMMON_CAPS, channelCaps = [] } = request;
  return encodeLinkMess({ channelType, channelId, connectionId, commonCaps, channelCaps });
}

async function handshake(
  transport: ByteTransport,
  request: LinkRequest,
  options: LinkOptions,
): Promise<LinkTerms> {
  const { commonCaps: ours = COMMON_CAPS, password = "" } = request;
  const reader = new ByteReader(transport);
  transport.write(encodeLinkRequest(request));
  const reply = await readReply(reader, options);
  if (reply.error !== LinkErr.Ok) throw new LinkRefusedError(reply.error);
  const both = (cap: number) => hasCap(ours, cap) && hasCap(reply.commonCaps, cap);
  const ticket = await sealTicket(reply.pubKey, password);
  if (both(CommonCap.ProtocolAuthSelection)) {
    const mechanism = { authMechanism: AuthMechanism.Spice };
    transport.write(encodeStruct("linkAuthMechanism", linkAuthMechanism, mechanism));
  }
  transport.write(ticket);
  const { resultDeadlineMs: deadlineMs = LINK_RESULT_DEADLINE_MS, signal } = options;
  const result = await reader.read(4, { deadlineMs, what: "the result of the link", signal });
  const error = new DataView(result.buffer).getUint32(0, true);
  if (error !== LinkErr.Ok) throw new LinkRefusedError(error);
  const { commonCaps, channelCaps } = reply;
  return { miniHeader: both(CommonCap.MiniHeader), commonCaps, channelCaps };
}

async function readReply(reader: ByteReader, options: LinkOptions): Promise<LinkReply> {
  const { replyDeadlineMs: deadlineMs = LINK_REPLY_DEADLINE_MS, signal } = options;
  const wait = { deadlineMs, what: "the reply to the link", signal };
  const head = await reader.read(LINK_HEADER_SIZE, wait);
  try {
    const header = decodeLinkHeader(head);
    if (header.majorVersion !== VERSION_MAJOR) {
      const problem = `the server speaks SPICE ${header.majorVersion}, we speak ${VERSION_MAJOR}`;
      throw new ClientError("SERVER_NOT_SPICE", problem);
    }
    return decodeLinkReply(await reader.read(header.size, wait));
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError("SERVER_NOT_SPICE", `what answers does not speak SPICE: ${String(cause)}`, {
      cause,
    });
  }
}

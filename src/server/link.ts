import type { ErrorCode } from "../errors/index.ts";
import { CodedError, errorText } from "../errors/index.ts";
import type { ChannelCapabilities, ChannelResume } from "../dispatch/index.ts";
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
import type { LinkMess } from "../protocol/index.ts";
import type { RedStream, Wire } from "../transport/index.ts";
import { LINK_DEADLINE_MS, PASSWORD_WAIT_MS } from "./limits.ts";
import { LinkStage } from "./link-places.ts";
import { LinkAborted, LinkReader } from "./link-reader.ts";
import type { PasswordFailure, PasswordGate } from "./password-gate.ts";
import type { TicketKeyPool, Ticketing } from "./ticket.ts";

/** A connection whose client asked for a channel and showed a good ticket. The link result is still owed. */
export interface AuthenticatedLink {
  readonly stream: RedStream;
  readonly connectionId: number;
  readonly channelType: number;
  readonly channelId: number;
  readonly capabilities: ChannelCapabilities;
  readonly miniHeader: boolean;
  /** The connection at its driver, whoever has the stream by then. */
  readonly wire?: Wire;
  /** Another server had the channel before; absent: the client has just linked. */
  readonly resume?: ChannelResume;
}

/** Why a connection did not become a channel; `linkError` was told to the client where the protocol has a way to. */
export class LinkRefused extends CodedError {
  override readonly name: string = "LinkRefused";
  readonly code: ErrorCode;
  /** SpiceLinkErr. */
  readonly linkError: number;
  constructor(linkError: number, detail: string, code: ErrorCode = "LINK_REFUSED") {
    super(detail);
    this.linkError = linkError;
    this.code = code;
  }
}

/** The password was wrong, and the client hears so later. */
class WrongPassword extends LinkRefused {
  constructor() {
    super(LinkError.PermissionDenied, "wrong password", "PASSWORD_WRONG");
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
  readonly gate: PasswordGate;
  /** Who is behind the connection, as far as passwords are concerned: an address without its port. */
  readonly address: string;
  /** Whether a session of that id lives. Nobody but its client knows the number. */
  readonly isSession: (connectionId: number) => boolean;
  /** The link came so far. */
  readonly onStage: (stage: LinkStage) => void;
  /** The password was wrong; the connection takes no place any more, and is answered later. */
  readonly onWrongPassword: (failure: PasswordFailure) => void;
  /** It has been answered. */
  readonly onAnswered: () => void;
  /** Milliseconds for each step of the client; defaults to {@link LINK_DEADLINE_MS}. */
  readonly deadlineMs?: number;
}

/** A link in its handshake. */
export interface LinkAttempt {
  /** @throws LinkRefused, LinkAborted. The stream is closed then, or will be when a wrong password is answered. */
  readonly done: Promise<Omit<AuthenticatedLink, "cut">>;
  /** Ends it before its time, with the protocol's own error. */
  abort(reason: string): void;
}

/**
 * The server's side of the link stage up to the ticket (spice-server's reds_handle_read_magic … reds_handle_ticket). Answers a bad
 * client with the protocol's own error.
 */
export function authenticateLink(stream: RedStream, context: LinkContext): LinkAttempt {
  const reader = new LinkReader(stream);
  let stage: LinkStage = LinkStage.Silent;
  const onStage = (reached: LinkStage) => {
    stage = reached;
    context.onStage(reached);
  };
  return {
    done: authenticate(stream, reader, { ...context, onStage }),
    abort: (reason) => {
      const answer = stage < LinkStage.Linking ? encodeLinkError : encodeLinkResult;
      stream.write(answer(LinkError.Error));
      reader.abort(reason);
    },
  };
}

async function authenticate(
  stream: RedStream,
  reader: LinkReader,
  context: LinkContext,
): Promise<AuthenticatedLink> {
  try {
    const link = await handshake(stream, reader, context);
    reader.release();
    return link;
  } catch (error) {
    if (error instanceof WrongPassword) throw error;
    reader.release();
    stream.close(errorText(error));
    throw error;
  }
}

/** Runs one step of the client within its deadline. */
async function within<T>(reader: LinkReader, milliseconds: number, step: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => reader.abort(`no whole link within ${milliseconds} ms`), milliseconds);
  try {
    return await step();
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
  const deadlineMs = context.deadlineMs ?? LINK_DEADLINE_MS;
  const message = await within(reader, deadlineMs, () => readLinkMess(stream, reader, context));
  context.onStage(LinkStage.Linking);
  // Without a password nobody opens the ticket, and a key of its own would protect nothing.
  const taken = context.ticketing.required ? context.keys.take() : context.keys.takeAny();
  const key = await taken.catch((error: unknown) => {
    throw refuse(stream, encodeLinkError, LinkError.Error, `no ticket key: ${String(error)}`);
  });
  if (reader.failure) throw reader.failure;
  const channelCaps = CHANNEL_CAPS[message.channelType] ?? [];
  stream.write(
    encodeLinkReply({ error: LinkError.Ok, pubKey: key.publicKey, commonCaps: COMMON_CAPS, channelCaps }),
  );
  const ticket = await within(reader, deadlineMs, () => readTicket(stream, reader, message));
  context.onStage(LinkStage.Ticket);
  if (context.ticketing.required) await checkTicket(stream, reader, context, message, () => key.open(ticket));
  return {
    stream,
    connectionId: message.connectionId,
    channelType: message.channelType,
    channelId: message.channelId,
    capabilities: { common: message.commonCaps, channel: message.channelCaps },
    miniHeader: hasCap(message.commonCaps, CommonCap.MiniHeader),
  };
}

/** Each part is judged as soon as it is there, so that a client which sends less than a header still hears why. */
async function readLinkMess(
  stream: RedStream,
  reader: LinkReader,
  { onStage }: LinkContext,
): Promise<LinkMess> {
  const magic = await reader.read(4);
  onStage(LinkStage.Begun);
  if (new DataView(magic.buffer).getUint32(0, true) !== LINK_MAGIC) {
    const detail = "the connection does not begin with REDQ: not a SPICE client";
    throw refuse(stream, encodeLinkError, LinkError.InvalidMagic, detail);
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
  try {
    return decodeLinkMess(body);
  } catch (error) {
    const detail = errorText(error);
    throw refuse(stream, encodeLinkError, LinkError.InvalidData, detail);
  }
}

async function readTicket(stream: RedStream, reader: LinkReader, message: LinkMess): Promise<Uint8Array> {
  if (hasCap(message.commonCaps, CommonCap.ProtocolAuthSelection)) {
    const { authMechanism } = decodeStruct("linkAuthMechanism", linkAuthMechanism, await reader.read(4));
    if (authMechanism !== AuthMechanism.Spice) {
      const detail = `the client chose authentication ${authMechanism}; we offer tickets (${AuthMechanism.Spice}) only`;
      throw refuse(stream, encodeLinkResult, LinkError.InvalidData, detail);
    }
  }
  return reader.read(TICKET_SIZE);
}

/** Looks at the ticket, when that may be done. @throws LinkRefused, LinkAborted */
async function checkTicket(
  stream: RedStream,
  reader: LinkReader,
  context: LinkContext,
  message: LinkMess,
  open: () => Promise<Uint8Array | undefined>,
): Promise<void> {
  const { ticketing, gate, address } = context;
  if (ticketing.expired()) {
    stream.write(encodeLinkResult(LinkError.PermissionDenied));
    throw new LinkRefused(LinkError.PermissionDenied, "the password has expired", "PASSWORD_EXPIRED");
  }
  // Whoever names a living session has been let in before: its other channels wait for nobody who guesses.
  if (context.isSession(message.connectionId) && ticketing.accepts(await open())) return;
  const admitted = await within(reader, PASSWORD_WAIT_MS, () => gate.admit(address, reader.signal));
  if (!admitted) {
    // Not a word about the password: nobody has looked at it.
    stream.write(encodeLinkResult(LinkError.Error));
    throw reader.failure ?? new LinkAborted("the link was given up");
  }
  const right = ticketing.accepts(await open());
  if (right) {
    gate.succeeded(address);
    if (reader.failure) throw reader.failure;
    return;
  }
  const failure = gate.failed(address, () => {
    stream.write(encodeLinkResult(LinkError.PermissionDenied));
    reader.release();
    stream.close("wrong password");
    context.onAnswered();
  });
  context.onWrongPassword(failure);
  throw new WrongPassword();
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

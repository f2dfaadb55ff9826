import { LinkErr } from "../protocol/index.ts";

/** What can go wrong for a client. */
export type ClientErrorCode =
  /** The server refused the link; see {@link LinkRefusedError.linkError}. */
  | "link-refused"
  /** What answers does not speak SPICE, or not as the protocol has it. */
  | "bad-link"
  /** The password is longer than a ticket can carry. */
  | "password-too-long"
  /** The connection could not be made. */
  | "unreachable"
  /** The connection ended. */
  | "closed"
  /** The server said DISCONNECTING, then ended; see {@link ChannelEnd.linkError}. */
  | "disconnected"
  /** The server took too long. */
  | "deadline"
  /** This side gave up: the session or channel was disposed of. */
  | "disposed"
  /** A message that this channel cannot have, or whose fields contradict each other. */
  | "bad-message"
  /** An image that cannot be decoded. */
  | "bad-image"
  /** The server refers to a surface, image, palette or cursor that it never sent. */
  | "missing"
  /** The server sent more than a limit of this client allows. */
  | "limit"
  /** The session has no such channel, or has it open already. */
  | "no-channel"
  /** Whoever listens to the channel threw; see {@link ChannelEnd.error}. */
  | "failed";

/** An error of a client; the code is for programs, the message for people. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const REMEDIES: Readonly<Record<number, string>> = {
  [LinkErr.Error]: "the server could not take the link; try again later",
  [LinkErr.InvalidMagic]: "the server did not take this for SPICE",
  [LinkErr.InvalidData]: "the server could not read the link message",
  [LinkErr.VersionMismatch]: "the server speaks another version of SPICE",
  [LinkErr.NeedSecured]: "the server wants this channel over TLS",
  [LinkErr.NeedUnsecured]: "the server wants this channel without TLS",
  [LinkErr.PermissionDenied]: "the password is wrong, or its time is over",
  [LinkErr.BadConnectionId]: "the server knows no such session, or it has ended",
  [LinkErr.ChannelNotAvailable]: "the server has no such channel",
};

/** The server refused a link, in the protocol's own words. */
export class LinkRefusedError extends ClientError {
  override readonly name = "LinkRefusedError";
  /** A LinkErr, as it stood in the reply or behind the ticket; a newer server may send one that is in no list. */
  readonly linkError: number;

  constructor(linkError: number) {
    super("link-refused", REMEDIES[linkError] ?? `the server refused the link with ${linkError}`);
    this.linkError = linkError;
  }
}

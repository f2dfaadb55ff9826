import type { ErrorCode } from "../errors/index.ts";
import { CodedError } from "../errors/index.ts";
import { LinkErr } from "../protocol/index.ts";

/** What can go wrong for a client; docs/errors.md says what each means. */
export type ClientErrorCode = Extract<
  ErrorCode,
  | "SERVER_REFUSED"
  | "SERVER_NOT_SPICE"
  | "SERVER_UNREACHABLE"
  | "SERVER_SILENT"
  | "SERVER_MESSAGE"
  | "SERVER_MISSING"
  | "SERVER_LIMIT"
  | "CHANNEL_CLOSED"
  | "CHANNEL_DISCONNECTED"
  | "CHANNEL_LEFT"
  | "CHANNEL_FAILED"
  | "NO_SUCH_CHANNEL"
  | "PASSWORD_TOO_LONG"
  | "IMAGE_DECODE"
>;

/** An error of a client; the code is for programs, the message for people. */
export class ClientError extends CodedError {
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
    super("SERVER_REFUSED", REMEDIES[linkError] ?? `the server refused the link with ${linkError}`);
    this.linkError = linkError;
  }
}

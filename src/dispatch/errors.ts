import type { ErrorCode, ErrorDetails, PlainError } from "../errors/index.ts";
import { CodedError } from "../errors/index.ts";
import { MAX_QUEUED_MESSAGES } from "./limits.ts";

/** The peer did not answer an acknowledged message in time. It may still handle it later. */
export class DispatcherTimeout extends CodedError {
  override readonly name = "DispatcherTimeout";
  readonly code = "DISPATCHER_TIMEOUT";
  constructor(peer: string, type: string, deadlineMs: number) {
    super(`${peer} did not answer "${type}" within ${deadlineMs} ms; its thread is busy, frozen or gone`);
  }
}

/** The peer's thread ended, or this dispatcher was disposed, while a call was under way or before it was made. */
export class PeerDied extends CodedError {
  override readonly name = "PeerDied";
  readonly code = "PEER_DIED";
  readonly peer: string;
  constructor(peer: string, reason: string) {
    super(`${peer} is gone (${reason})`);
    this.peer = peer;
  }
}

/** More messages came than a receiver keeps: its thread is stuck, or somebody sends without looking whether they are taken. */
export class MessagesLost extends CodedError {
  override readonly name = "MessagesLost";
  readonly code = "MESSAGES_LOST";
  readonly count: number;
  constructor(count: number) {
    super(`${count} messages were lost: more than ${MAX_QUEUED_MESSAGES} waited to be handled`);
    this.count = count;
  }
}

/** A message came that no handler is there for. */
export class UnknownMessage extends CodedError {
  override readonly name = "UnknownMessage";
  readonly code = "UNKNOWN_MESSAGE";
  constructor(type: string) {
    super(`no handler for message "${type}"`);
  }
}

/** The peer's handler threw: its error, as far as it crosses threads. `code` and `message` are those of the error itself. */
export class RemoteError extends CodedError {
  override readonly name = "RemoteError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** Who threw it, and over which message. */
  readonly peer: string;
  readonly messageType: string;
  constructor(peer: string, messageType: string, { code, message, details = {} }: PlainError) {
    super(message);
    this.code = code;
    this.details = details;
    this.peer = peer;
    this.messageType = messageType;
  }
}

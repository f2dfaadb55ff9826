import { CodedError } from "../errors/index.ts";

/** What can be wrong with a value or a body measured against its schema. */
export type SchemaFault =
  /** The body ends inside a field. */
  | "truncated"
  /** A number does not fit its field. */
  | "out-of-range"
  /** A tag has no case in its union. */
  | "unknown-variant"
  /** A pointer leads outside of the body, or is null where it must not be. */
  | "bad-pointer"
  /** A count or length contradicts the data. */
  | "bad-length"
  /** A field which the flags demand is absent, or one which they exclude is present. */
  | "bad-presence"
  /** The body is longer than its message. */
  | "trailing-bytes"
  /** The body is larger than the message may be. */
  | "too-large";

/** A body that cannot be decoded, or a value that cannot be encoded: which message, which field, at which byte, and what was expected. */
export class SchemaError extends CodedError {
  override readonly name = "SchemaError";
  readonly code = "SCHEMA";
  readonly fault: SchemaFault;
  /** Name of the message or structure. */
  readonly messageName: string;
  /** Field path such as `data.srcBitmap.descriptor.type`; empty for the whole message. */
  readonly path: string;
  /** Byte offset in the body. */
  readonly offset: number;

  constructor(fault: SchemaFault, messageName: string, path: string, offset: number, problem: string) {
    super(`${messageName}${path === "" ? "" : `.${path}`}: ${problem} (at byte ${offset})`);
    this.fault = fault;
    this.messageName = messageName;
    this.path = path;
    this.offset = offset;
  }
}

/** What can be wrong with a stream of messages, before any body is looked at. */
export type ProtocolFault =
  /** The message type is in no table of this channel and direction. */
  | "unknown-message"
  /** The header announces more than the message, or this parser, allows. */
  | "message-too-large"
  /** The stream ended inside a message. */
  | "truncated"
  /** A sub message list does not lie within its message. */
  | "bad-sub-list"
  /** The link header does not start with "REDQ". */
  | "bad-magic"
  /** The link message contradicts itself. */
  | "bad-link";

/** A byte stream that is not SPICE, or not what this channel carries. The stream cannot be read any further: close the channel. */
export class ProtocolError extends CodedError {
  override readonly name = "ProtocolError";
  readonly code = "PROTOCOL";
  readonly fault: ProtocolFault;

  constructor(fault: ProtocolFault, problem: string) {
    super(problem);
    this.fault = fault;
  }
}

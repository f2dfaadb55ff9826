import { Decoder } from "./decode.ts";
import { Encoder } from "./encode.ts";
import { SchemaError } from "./errors.ts";
import { CLIENT_MESSAGE_MAX, CONTROL_MESSAGE_MAX } from "./limits.ts";
import type { InferFields, Schema } from "./schema.ts";
import { struct } from "./schema.ts";
import type { Fields } from "./schema-node.ts";
import { fixedSize } from "./schema-node.ts";

/** One message of a channel: its number, its name in the channel's table, the layout of its body and how long that may be. */
export interface MessageDef<T> {
  readonly id: number;
  readonly name: string;
  readonly schema: Schema<T>;
  /** Largest body in bytes. */
  readonly maxSize: number;
  /** Whether bytes behind the known fields are ignored; newer peers may append some. */
  readonly trailing: "error" | "ignore";
}

/** What may differ from one message to the next. */
export interface MessageOptions {
  /** Largest body in bytes; by default the size of the fields if that is fixed, else {@link CONTROL_MESSAGE_MAX}. */
  readonly maxSize?: number;
  /** See {@link MessageDef.trailing}; by default an error. */
  readonly trailing?: "error" | "ignore";
}

/** The messages of one direction of a channel, by camelCased name. */
export type MessageTable = Readonly<Record<string, MessageDef<unknown>>>;

/** A channel: everything its server may send, and everything its client may send. */
export interface ChannelSchema<
  Server extends MessageTable = MessageTable,
  Client extends MessageTable = MessageTable,
> {
  /** SpiceChannelType. */
  readonly type: number;
  readonly name: string;
  readonly server: Server;
  readonly client: Client;
}

/** Declares a message; `fields` in wire order. */
export function message<const F extends Fields>(
  id: number,
  name: string,
  fields: F,
  options: MessageOptions = {},
): MessageDef<InferFields<F>> {
  const schema = struct(fields);
  const { maxSize = fixedSize(schema) ?? CONTROL_MESSAGE_MAX, trailing = "error" } = options;
  return { id, name, schema, maxSize, trailing };
}

/**
 * Declares a message of a client. As libspice reads them: it must have at least its fields, and bytes behind them are ignored, up to
 * what the channel takes at all.
 */
export function clientMessage<const F extends Fields>(
  id: number,
  name: string,
  fields: F,
  options: MessageOptions = {},
): MessageDef<InferFields<F>> {
  return message(id, name, fields, { maxSize: CLIENT_MESSAGE_MAX, ...options, trailing: "ignore" });
}

/** An encoder that holds the whole message, `reserved` bytes in front of its body. */
export function encoderFor<T>(def: MessageDef<T>, value: T, reserved: number): Encoder {
  const encoder = new Encoder(def.name, reserved);
  encoder.write(def.schema, value);
  if (encoder.length > def.maxSize) {
    const problem = `the body has ${encoder.length} bytes, the message may have ${def.maxSize}; send less or split it`;
    throw new SchemaError("too-large", def.name, "", encoder.length, problem);
  }
  return encoder;
}

/**
 * The body of a message, without its header.
 * @throws SchemaError if the value does not fit the schema.
 */
export function encodeBody<T>(def: MessageDef<T>, value: T): Uint8Array {
  return encoderFor(def, value, 0).finish();
}

/**
 * The value of a body. Byte fields are views on `body`: copy what must outlive it.
 * @throws SchemaError if the body does not fit the schema, down to the last byte.
 */
export function decodeBody<T>(def: MessageDef<T>, body: Uint8Array): T {
  const decoder = new Decoder(def.name, body);
  const value = decoder.read(def.schema) as T;
  if (def.trailing === "error") decoder.expectEnd();
  return value;
}

/** As {@link encodeBody}, for a structure that is no message. */
export function encodeStruct<T>(name: string, schema: Schema<T>, value: T): Uint8Array {
  const encoder = new Encoder(name);
  encoder.write(schema, value);
  return encoder.finish();
}

/** As {@link decodeBody}, for a structure that is no message; bytes behind it are left alone. */
export function decodeStruct<T>(name: string, schema: Schema<T>, bytes: Uint8Array, offset = 0): T {
  return new Decoder(name, bytes, offset).read(schema) as T;
}

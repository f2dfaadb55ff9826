/**
 * The control connection between the relay and the hosting tab: JSON text messages over the WebSocket `/host`.
 *
 * The tab says hello with the secret of this start. The relay welcomes it, or tells it that the place is occupied: then it
 * waits on this same connection, is welcomed once the place is free, or takes it over. For each client the relay sends
 * `open`; the tab answers by dialling `/streams/<id>?token=<token>`, or with `refused`. Bytes never travel here.
 *
 * A tab that goes without a word (its page is reloaded, its browser dies, the network changes) leaves its clients at the relay, which keeps
 * their connections for a while; whoever hosts next gets them as `open` with `resume`, and goes on with their sessions.
 *
 * Declared once, for both ends. Fields that an end does not know are ignored, so that new ones need no new protocol.
 */
import { CodedError } from "../errors/index.ts";
import * as v from "valibot";

/** Raised when an end of before could not work with one of now. Each says its own in hello and welcome. */
export const RELAY_CONTROL_PROTOCOL = 2;

/** Surfaces of one display channel that a hand-over may name; a guest has 1024. */
const MAX_SURFACES_HANDED_OVER = 4096;
/** Capability words of a link, as many as a link message may have. */
const MAX_CAPABILITY_WORDS = 32;
/** Of a display client's INIT, which has 14 bytes, in hexadecimal. */
const MAX_INIT_DIGITS = 128;

const name = v.pipe(v.string(), v.maxLength(200));
const reason = v.pipe(v.string(), v.maxLength(500));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const connectionId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
const capabilities = v.pipe(v.array(u32), v.maxLength(MAX_CAPABILITY_WORDS), v.readonly());

/**
 * How far a client's connection had come with the tab that hosted before: a channel of a session goes on, with no link stage. What had
 * come of the client's next message is the first that travels on the stream.
 */
export const LinkResumeSchema = v.object({
  /** The session's connection id, of main as well. */
  session: v.pipe(u32, v.minValue(1)),
  channelType: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)),
  channelId: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
  /** Of the client. */
  commonCaps: capabilities,
  channelCaps: capabilities,
  miniHeader: v.boolean(),
  /** Messages that the client was sent. */
  serial: count,
  /** Of the last SET_ACK. */
  generation: u32,
  /** Inputs: motions that were not acknowledged. */
  motions: v.optional(count),
  /** Display: body of the client's INIT, in hexadecimal. */
  init: v.optional(v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/), v.maxLength(MAX_INIT_DIGITS))),
  /** Display: SpiceImageCompression that it asked for. */
  compression: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  /** Display: whether its primary surface is shown. */
  marked: v.boolean(),
  /** Display: what it has. */
  surfaces: v.pipe(
    v.array(v.object({ surfaceId: u32, width: u32, height: u32, format: u32 })),
    v.maxLength(MAX_SURFACES_HANDED_OVER),
    v.readonly(),
  ),
});
export type LinkResume = v.InferOutput<typeof LinkResumeSchema>;

/** What the hosting tab may say. */
export const HostMessageSchema = v.variant("type", [
  v.object({
    type: v.literal("hello"),
    protocol: count,
    name,
    version: name,
    /** Tells a reconnection of this tab from another tab. */
    hostId: v.pipe(name, v.nonEmpty()),
    secret: name,
  }),
  /** A waiting tab wants the place, whoever has it. */
  v.object({ type: v.literal("takeOver") }),
  v.object({ type: v.literal("accepted"), id: connectionId }),
  v.object({ type: v.literal("refused"), id: connectionId, reason: v.optional(reason) }),
  /** That connection became a channel of a client. */
  v.object({ type: v.literal("linked"), id: connectionId, channel: v.optional(name) }),
  /** That connection did not become one. */
  v.object({
    type: v.literal("linkFailed"),
    /** Where it is known. */
    id: v.optional(connectionId),
    address: name,
    /** A code of docs/errors.md, such as PASSWORD_WRONG, or what was wrong in words. */
    reason,
    /** Wrong passwords in a row from there. */
    failures: v.optional(count),
    /** Milliseconds for which the next one from there waits for its answer. */
    delayMs: v.optional(count),
  }),
  /** `machine`: why it stands still: it is off, or has come to its end otherwise. */
  v.object({ type: v.literal("status"), clients: count, machine: v.optional(reason) }),
  v.object({ type: v.literal("ping") }),
  v.object({ type: v.literal("pong") }),
]);
export type HostMessage = v.InferOutput<typeof HostMessageSchema>;
/** Why a connection did not become a channel, for the terminal in which the relay runs. */
export type LinkFailure = Omit<Extract<HostMessage, { type: "linkFailed" }>, "type">;

const peer = v.object({
  /** "tcp", "tls", "websocket", and whatever relays learn to speak: shown, never decided by. */
  transport: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,20}$/)),
  /** For example "127.0.0.1:51234". */
  address: name,
  secure: v.boolean(),
});
/** Where a client connection comes from; the same fields as transport's StreamPeer. */
export type RelayPeer = v.InferOutput<typeof peer>;

const spiceAddress = v.object({ host: name, port: count });
/** Where SPICE clients connect to. */
export type SpiceAddress = v.InferOutput<typeof spiceAddress>;

/** What the relay says. */
export const RelayMessageSchema = v.variant("type", [
  v.object({
    type: v.literal("welcome"),
    protocol: count,
    /** The TCP listeners. */
    spice: v.pipe(v.array(spiceAddress), v.readonly()),
    /** Absolute ws: or wss: URL for clients, subprotocol "binary". */
    webSocketUrl: v.string(),
    version: name,
  }),
  /** Another tab, of that name, has the place; `lost`: it took it from this one. `welcome` follows when it is free. */
  v.object({ type: v.literal("occupied"), host: name, lost: v.boolean() }),
  /** `id` counts from 1 and is never used twice; `token` is good for one stream and one time. */
  v.object({
    type: v.literal("open"),
    id: connectionId,
    token: v.pipe(v.string(), v.regex(/^[0-9a-f]+$/)),
    peer,
    /** Absent: its link is to come. */
    resume: v.optional(LinkResumeSchema),
  }),
  /** The client left, or the deadline passed, before the stream was opened. */
  v.object({ type: v.literal("cancel"), id: connectionId }),
  v.object({ type: v.literal("ping") }),
  v.object({ type: v.literal("pong") }),
]);
export type RelayMessage = v.InferOutput<typeof RelayMessageSchema>;

/** A control message that is not one: says what was wrong with it. */
export class ControlMessageError extends CodedError {
  override readonly name = "ControlMessageError";
  readonly code = "CONTROL_MESSAGE";
}

/** Parses one text message of the hosting tab. @throws ControlMessageError */
export const parseHostMessage = (text: unknown): HostMessage => parse(HostMessageSchema, text);

/** Parses one text message of the relay. @throws ControlMessageError */
export const parseRelayMessage = (text: unknown): RelayMessage => parse(RelayMessageSchema, text);

function parse<const S extends v.GenericSchema>(schema: S, text: unknown): v.InferOutput<S> {
  if (typeof text !== "string") throw new ControlMessageError("control messages are text");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ControlMessageError("a control message is not JSON");
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue);
  throw new ControlMessageError(
    `bad control message${where === null ? "" : ` at ${where}`}: ${issue.message}`,
  );
}

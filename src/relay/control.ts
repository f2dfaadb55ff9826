/**
 * The control connection between the relay and the hosting tab: JSON text messages over the WebSocket `/host`.
 *
 * The tab says hello with the secret of this start. The relay welcomes it, or tells it that the place is occupied: then it
 * waits on this same connection, is welcomed once the place is free, or takes it over. For each client the relay sends
 * `open`; the tab answers by dialling `/streams/<id>?token=<token>`, or with `refused`. Bytes never travel here.
 */
import * as v from "valibot";

const name = v.pipe(v.string(), v.maxLength(200));
const reason = v.pipe(v.string(), v.maxLength(500));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const connectionId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What the hosting tab may say. */
export const HostMessageSchema = v.variant("type", [
  v.object({
    type: v.literal("hello"),
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
  /** That connection did not become one; `failures` in a row from there, the next is answered `delayMs` later. */
  v.object({
    type: v.literal("linkFailed"),
    id: v.optional(connectionId),
    address: name,
    reason,
    failures: v.optional(count),
    delayMs: v.optional(count),
  }),
  /** `machine`: why it stands still: it is off, or has come to its end otherwise. */
  v.object({ type: v.literal("status"), clients: count, machine: v.optional(reason) }),
  v.object({ type: v.literal("ping") }),
  v.object({ type: v.literal("pong") }),
]);
export type HostMessage = v.InferOutput<typeof HostMessageSchema>;

/** Where a client connection comes from; the same fields as transport's StreamPeer. */
export interface RelayPeer {
  readonly transport: "tcp" | "websocket" | "tls";
  /** For example "127.0.0.1:51234". */
  readonly address: string;
  readonly secure: boolean;
}

/** Where SPICE clients connect to. */
export interface SpiceAddress {
  readonly host: string;
  readonly port: number;
}

/** What the relay says. */
export type RelayMessage =
  | {
      readonly type: "welcome";
      /** The TCP listeners. */
      readonly spice: readonly SpiceAddress[];
      /** Absolute ws: or wss: URL for clients, subprotocol "binary". */
      readonly webSocketUrl: string;
      readonly version: string;
    }
  /** Another tab, of that name, has the place; `lost`: it took it from this one. `welcome` follows when it is free. */
  | { readonly type: "occupied"; readonly host: string; readonly lost: boolean }
  /** `id` counts from 1 and is never used twice; `token` is hexadecimal, good for one stream and one time. */
  | { readonly type: "open"; readonly id: number; readonly token: string; readonly peer: RelayPeer }
  /** The client left, or the deadline passed, before the stream was opened. */
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "ping" }
  | { readonly type: "pong" };

/** WebSocket close codes of the relay (4000–4999 are for applications, RFC 6455 §7.4.2). */
export const RelayClose = {
  /** The work is done. */
  normal: 1000,
  /** The relay is shutting down. */
  goingAway: 1001,
  /** A message broke the control contract. */
  protocolError: 1002,
  /** The hosting tab refused that client. */
  policy: 1008,
  /** No tab is hosting, or a limit is reached: try again later. */
  tryAgainLater: 1013,
  /** The same host opened a newer control connection. */
  replaced: 4002,
  /** Nothing was heard for too long. */
  silent: 4003,
  /** The secret is not the one of this start: dialling again is of no use before a person gives another. */
  secretRefused: 4004,
} as const;

/** A control message that is not one: says what was wrong with it. */
export class ControlMessageError extends Error {
  override readonly name = "ControlMessageError";
}

/** Parses one text message of the hosting tab. @throws ControlMessageError */
export function parseHostMessage(text: string): HostMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ControlMessageError("a control message is not JSON");
  }
  const result = v.safeParse(HostMessageSchema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const where = v.getDotPath(issue);
  throw new ControlMessageError(
    `bad control message${where === null ? "" : ` at ${where}`}: ${issue.message}`,
  );
}

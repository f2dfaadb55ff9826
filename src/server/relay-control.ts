import * as v from "valibot";

/** Control messages between this tab and the relay, JSON text on one WebSocket. The relay's end is in src/relay/control.ts. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const peer = v.object({
  transport: v.picklist(["tcp", "websocket", "tls"]),
  address: v.pipe(v.string(), v.maxLength(200)),
  secure: v.boolean(),
});

/**
 * What the relay says. `occupied`: another tab hosts, `welcome` follows when its place is free. `open`: a client waits; its stream is
 * at streams/<id>?token=<token>, beside the control connection.
 */
export const RelayMessageSchema = v.variant("type", [
  v.object({
    type: v.literal("welcome"),
    spice: v.array(v.object({ host: v.string(), port: count })),
    webSocketUrl: v.string(),
    version: v.string(),
  }),
  v.object({ type: v.literal("occupied"), host: v.string(), lost: v.boolean() }),
  v.object({ type: v.literal("open"), id: count, token: v.pipe(v.string(), v.regex(/^[0-9a-f]+$/)), peer }),
  v.object({ type: v.literal("cancel"), id: count }),
  v.object({ type: v.literal("ping") }),
  v.object({ type: v.literal("pong") }),
]);
export type RelayMessage = v.InferOutput<typeof RelayMessageSchema>;

/** Why a connection did not become a channel, for the terminal in which the relay runs. */
export interface LinkFailure {
  /** The relay's number of the connection, where it is known. */
  readonly id?: number;
  readonly address: string;
  /** "password", "expired", or what was wrong in words. */
  readonly reason: string;
  /** Wrong passwords in a row from there. */
  readonly failures?: number;
  /** Milliseconds for which the next one from there waits for its answer. */
  readonly delayMs?: number;
}

/** What we say. `takeOver`: a tab that was told `occupied` wants the place all the same. */
export type HostMessage =
  | {
      readonly type: "hello";
      readonly name: string;
      readonly version: string;
      readonly hostId: string;
      readonly secret: string;
    }
  | { readonly type: "takeOver" }
  | { readonly type: "linked"; readonly id: number; readonly channel?: string }
  | (LinkFailure & { readonly type: "linkFailed" })
  | { readonly type: "accepted"; readonly id: number }
  | { readonly type: "refused"; readonly id: number; readonly reason?: string }
  | { readonly type: "status"; readonly clients: number; readonly machine?: string }
  | { readonly type: "ping" }
  | { readonly type: "pong" };

/** Close code with which the relay says that our secret is not the one of its start: dialling again changes nothing. */
export const CLOSE_SECRET_REFUSED = 4004;

/** A message of the relay, or undefined if it is none. */
export function parseRelayMessage(text: unknown): RelayMessage | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const result = v.safeParse(RelayMessageSchema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

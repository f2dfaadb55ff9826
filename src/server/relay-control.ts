import * as v from "valibot";

/** Control messages between this tab and the relay, JSON text on one WebSocket. The relay's end is in src/relay/control.ts. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const peer = v.object({
  transport: v.picklist(["tcp", "websocket", "tls"]),
  address: v.pipe(v.string(), v.maxLength(200)),
  secure: v.boolean(),
});

/** What the relay says. `open`: a client waits; its stream is at streams/<id>, beside the control connection?token=<token>. */
export const RelayMessageSchema = v.variant("type", [
  v.object({
    type: v.literal("welcome"),
    spice: v.array(v.object({ host: v.string(), port: count })),
    webSocketUrl: v.string(),
    version: v.string(),
  }),
  v.object({ type: v.literal("open"), id: count, token: v.pipe(v.string(), v.regex(/^[0-9a-f]+$/)), peer }),
  v.object({ type: v.literal("cancel"), id: count }),
  v.object({ type: v.literal("ping") }),
  v.object({ type: v.literal("pong") }),
]);
export type RelayMessage = v.InferOutput<typeof RelayMessageSchema>;

/** What we say. */
export type HostMessage =
  | { readonly type: "hello"; readonly name: string; readonly version: string; readonly hostId: string }
  | { readonly type: "accepted"; readonly id: number }
  | { readonly type: "refused"; readonly id: number; readonly reason?: string }
  | { readonly type: "status"; readonly clients: number }
  | { readonly type: "ping" }
  | { readonly type: "pong" };

/** Close code with which the relay says that another tab hosts now: dialling again would start a fight. */
export const CLOSE_TAKEN_OVER = 4001;

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

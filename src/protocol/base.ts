import { LinkErr, MigrateFlags, NotifySeverity, NotifyVisibility } from "./enums.ts";
import { DRAW_MESSAGE_MAX, PING_MESSAGE_MAX } from "./limits.ts";
import type { ChannelSchema, MessageTable } from "./message.ts";
import { clientMessage, message } from "./message.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  pointerTo,
  rest,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
} from "./schema.ts";

/** A message that some other channel must have delivered first; `messageSerial` counts that channel's messages from 1. */
export const waitForChannel = struct(
  { channelType: u8, channelId: u8, messageSerial: u64 },
  "WaitForChannel",
);

/** SpiceSubMessageList: messages that take effect before the one which carries them. */
export const subMessages = array(pointerTo(struct({ type: u16, data: bytes(u32) }, "SubMessage")), u16);

/** BaseChannel of spice.proto: what every server may send on every channel. */
export const baseServer = {
  migrate: message(1, "migrate", { flags: flags(u32, "MigrateFlags", MigrateFlags) }),
  migrateData: message(2, "migrateData", { data: bytes(rest) }, { maxSize: PING_MESSAGE_MAX }),
  setAck: message(3, "setAck", { generation: u32, window: u32 }),
  ping: message(4, "ping", { id: u32, timestamp: u64, data: bytes(rest) }, { maxSize: PING_MESSAGE_MAX }),
  waitForChannels: message(5, "waitForChannels", { waitList: array(waitForChannel, u8) }),
  disconnecting: message(6, "disconnecting", {
    timeStamp: u64,
    reason: enumeration(u32, "LinkErr", LinkErr),
  }),
  notify: message(7, "notify", {
    timeStamp: u64,
    severity: enumeration(u32, "NotifySeverity", NotifySeverity),
    visibility: enumeration(u32, "NotifyVisibility", NotifyVisibility),
    what: u32,
    message: text(u32, "after"),
  }),
  list: message(8, "list", { subMessages }, { maxSize: DRAW_MESSAGE_MAX }),
};

/** BaseChannel of spice.proto: what every client may send on every channel. */
export const baseClient = {
  ackSync: clientMessage(1, "ackSync", { generation: u32 }),
  ack: clientMessage(2, "ack", {}),
  pong: clientMessage(3, "pong", { id: u32, timestamp: u64 }),
  migrateFlushMark: clientMessage(4, "migrateFlushMark", {}),
  migrateData: clientMessage(5, "migrateData", { data: bytes(rest) }, { maxSize: PING_MESSAGE_MAX }),
  disconnecting: clientMessage(6, "disconnecting", {
    timeStamp: u64,
    reason: enumeration(u32, "LinkErr", LinkErr),
  }),
};

/** A channel of its own messages and those of every channel. */
export function channel<Server extends MessageTable, Client extends MessageTable>(
  type: number,
  name: string,
  server: Server,
  client: Client,
): ChannelSchema<typeof baseServer & Server, typeof baseClient & Client> {
  return { type, name, server: { ...baseServer, ...server }, client: { ...baseClient, ...client } };
}

import { channel } from "./base.ts";
import { ChannelType, LinkErr, MouseMode } from "./enums.ts";
import { AGENT_DATA_MAX } from "./limits.ts";
import { clientMessage, message } from "./message.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  lengthOf,
  pointer,
  pointerTo,
  rest,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
} from "./schema.ts";

const mouseMode = flags(u16, "MouseMode", MouseMode);

/** Where a migrating client shall connect to. */
const dstInfo = struct(
  {
    port: u16,
    sport: u16,
    hostSize: lengthOf("hostData", u32),
    hostData: pointerTo(text("hostSize")),
    certSubjectSize: lengthOf("certSubjectData", u32),
    certSubjectData: pointer(text("certSubjectSize")),
  },
  "DstInfo",
);

/** MainChannel of spice.proto: session, channel list, pointer mode, the agent's tunnel, migration. */
export const mainChannel = channel(
  ChannelType.Main,
  "main",
  {
    migrateBegin: message(101, "migrateBegin", { dstInfo }),
    migrateCancel: message(102, "migrateCancel", {}),
    init: message(103, "init", {
      sessionId: u32,
      displayChannelsHint: u32,
      supportedMouseModes: flags(u32, "MouseMode", MouseMode),
      currentMouseMode: flags(u32, "MouseMode", MouseMode),
      agentConnected: u32,
      agentTokens: u32,
      multiMediaTime: u32,
      ramHint: u32,
    }),
    channelsList: message(104, "channelsList", {
      channels: array(
        struct({ type: enumeration(u8, "ChannelType", ChannelType), id: u8 }, "ChannelId"),
        u32,
      ),
    }),
    mouseMode: message(105, "mouseMode", { supportedModes: mouseMode, currentMode: mouseMode }),
    multiMediaTime: message(106, "multiMediaTime", { time: u32 }),
    agentConnected: message(107, "agentConnected", {}),
    agentDisconnected: message(108, "agentDisconnected", { errorCode: enumeration(u32, "LinkErr", LinkErr) }),
    agentData: message(109, "agentData", { data: bytes(rest) }, { maxSize: AGENT_DATA_MAX }),
    agentToken: message(110, "agentToken", { numTokens: u32 }),
    migrateSwitchHost: message(111, "migrateSwitchHost", {
      port: u16,
      sport: u16,
      hostSize: lengthOf("hostData", u32),
      hostData: pointer(text("hostSize")),
      certSubjectSize: lengthOf("certSubjectData", u32),
      certSubjectData: pointer(text("certSubjectSize")),
    }),
    migrateEnd: message(112, "migrateEnd", {}),
    name: message(113, "name", { name: text(u32) }),
    uuid: message(114, "uuid", { uuid: bytes(16) }),
    agentConnectedTokens: message(115, "agentConnectedTokens", { numTokens: u32 }),
    migrateBeginSeamless: message(116, "migrateBeginSeamless", { dstInfo, srcMigVersion: u32 }),
    migrateDstSeamlessAck: message(117, "migrateDstSeamlessAck", {}),
    migrateDstSeamlessNack: message(118, "migrateDstSeamlessNack", {}),
  },
  {
    clientInfo: clientMessage(101, "clientInfo", { cacheSize: u64 }),
    migrateConnected: clientMessage(102, "migrateConnected", {}),
    migrateConnectError: clientMessage(103, "migrateConnectError", {}),
    attachChannels: clientMessage(104, "attachChannels", {}),
    mouseModeRequest: clientMessage(105, "mouseModeRequest", { mode: mouseMode }),
    agentStart: clientMessage(106, "agentStart", { numTokens: u32 }),
    agentData: clientMessage(107, "agentData", { data: bytes(rest) }, { maxSize: AGENT_DATA_MAX }),
    agentToken: clientMessage(108, "agentToken", { numTokens: u32 }),
    migrateEnd: clientMessage(109, "migrateEnd", {}),
    migrateDstDoSeamless: clientMessage(110, "migrateDstDoSeamless", { srcVersion: u32 }),
    migrateConnectedSeamless: clientMessage(111, "migrateConnectedSeamless", {}),
    qualityIndicator: clientMessage(112, "qualityIndicator", { data: bytes(rest) }),
  },
);

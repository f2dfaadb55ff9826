import { AGENT_DATA_MAX, AGENT_MESSAGE_MAX, AGENT_MONITORS_MAX } from "./limits.ts";
import { message } from "./message.ts";
import type { Infer } from "./schema.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  i32,
  lengthOf,
  padding,
  rest,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
  when,
} from "./schema.ts";

/** VDP_*_PORT: whom a chunk on the agent's serial port is for. */
export const VdiPort = { Client: 1, Server: 2 } as const;

/** The only value of VDAgentMessage.protocol. */
export const VD_AGENT_PROTOCOL = 1;
/** Bytes of a VDIChunkHeader. */
export const VDI_CHUNK_HEADER_SIZE = 8;
/** Bytes of a VDAgentMessage without its data. */
export const VD_AGENT_MESSAGE_SIZE = 20;
/** Most bytes behind a VDIChunkHeader. */
export const VD_AGENT_MAX_DATA_SIZE = AGENT_DATA_MAX;

/** VD_AGENT_*: message types. */
export const AgentMessageType = {
  MouseState: 1,
  MonitorsConfig: 2,
  Reply: 3,
  Clipboard: 4,
  DisplayConfig: 5,
  AnnounceCapabilities: 6,
  ClipboardGrab: 7,
  ClipboardRequest: 8,
  ClipboardRelease: 9,
  FileXferStart: 10,
  FileXferStatus: 11,
  FileXferData: 12,
  ClientDisconnected: 13,
  MaxClipboard: 14,
  AudioVolumeSync: 15,
  GraphicsDeviceInfo: 16,
} as const;

/** VD_AGENT_CAP_*: bit numbers. */
export const AgentCap = {
  MouseState: 0,
  MonitorsConfig: 1,
  Reply: 2,
  Clipboard: 3,
  DisplayConfig: 4,
  ClipboardByDemand: 5,
  ClipboardSelection: 6,
  SparseMonitorsConfig: 7,
  GuestLineendLf: 8,
  GuestLineendCrlf: 9,
  MaxClipboard: 10,
  AudioVolumeSync: 11,
  MonitorsConfigPosition: 12,
  FileXferDisabled: 13,
  FileXferDetailedErrors: 14,
  GraphicsDeviceInfo: 15,
  ClipboardNoReleaseOnRegrab: 16,
  ClipboardGrabSerial: 17,
} as const;

/** VD_AGENT_CLIPBOARD_*: kinds of clipboard data. */
export const AgentClipboardType = {
  None: 0,
  Utf8Text: 1,
  ImagePng: 2,
  ImageBmp: 3,
  ImageTiff: 4,
  ImageJpg: 5,
  FileList: 6,
} as const;

/** VD_AGENT_CLIPBOARD_SELECTION_*. */
export const AgentSelection = { Clipboard: 0, Primary: 1, Secondary: 2 } as const;

/** VD_AGENT_FILE_XFER_STATUS_*. */
export const AgentFileXferStatus = {
  CanSendData: 0,
  Cancelled: 1,
  Error: 2,
  Success: 3,
  NotEnoughSpace: 4,
  SessionLocked: 5,
  VdagentNotConnected: 6,
  Disabled: 7,
} as const;

/** VD_AGENT_*BUTTON_MASK of VDAgentMouseState: one bit above those of MouseButtonMask. */
export const AgentButtonMask = {
  Left: 2,
  Middle: 4,
  Right: 8,
  Up: 16,
  Down: 32,
  Side: 64,
  Extra: 128,
} as const;

/** VD_AGENT_CONFIG_MONITORS_FLAG_*. */
export const AgentMonitorsFlag = { UsePos: 1, PhysicalSize: 2 } as const;

/** VD_AGENT_SUCCESS and VD_AGENT_ERROR of VDAgentReply. */
export const AgentReplyError = { Success: 1, Error: 2 } as const;

/** Frame on the agent's serial port: at most {@link VD_AGENT_MAX_DATA_SIZE} bytes of an agent message follow. */
export const vdiChunkHeader = struct(
  { port: enumeration(u32, "VdiPort", VdiPort), size: u32 },
  "VDIChunkHeader",
);
/** Value of {@link vdiChunkHeader}. */
export type VDIChunkHeader = Infer<typeof vdiChunkHeader>;

/** Header of an agent message; `size` bytes of data follow, possibly in later chunks. */
export const vdAgentMessage = struct(
  { protocol: u32, type: enumeration(u32, "AgentMessageType", AgentMessageType), opaque: u64, size: u32 },
  "VDAgentMessage",
);
/** Value of {@link vdAgentMessage}. */
export type VDAgentMessage = Infer<typeof vdAgentMessage>;

const monitor = struct({ height: u32, width: u32, depth: u32, x: i32, y: i32 }, "VDAgentMonConfig");
const millimetres = struct({ height: u16, width: u16 }, "VDAgentMonitorMM");
const deviceDisplay = struct(
  { channelId: u32, monitorId: u32, deviceDisplayId: u32, deviceAddress: text(u32) },
  "VDAgentDeviceDisplayInfo",
);
const clipboardType = enumeration(u32, "AgentClipboardType", AgentClipboardType);
const selection = { selection: enumeration(u8, "AgentSelection", AgentSelection), reserved: padding(3) };
const large = { maxSize: AGENT_MESSAGE_MAX };

/** Data of agent messages by type. Those of the clipboard have the form without selections; see {@link agentSelectionMessages}. */
export const agentMessages = {
  mouseState: message(1, "mouseState", {
    x: u32,
    y: u32,
    buttons: flags(u32, "AgentButtonMask", AgentButtonMask),
    displayId: u8,
  }),
  monitorsConfig: message(
    2,
    "monitorsConfig",
    {
      numOfMonitors: lengthOf("monitors", u32),
      flags: flags(u32, "AgentMonitorsFlag", AgentMonitorsFlag),
      monitors: array(monitor, "numOfMonitors"),
      physicalSizes: when("flags", AgentMonitorsFlag.PhysicalSize, array(millimetres, "numOfMonitors")),
    },
    { maxSize: 8 + 24 * AGENT_MONITORS_MAX },
  ),
  reply: message(3, "reply", {
    type: enumeration(u32, "AgentMessageType", AgentMessageType),
    error: enumeration(u32, "AgentReplyError", AgentReplyError),
  }),
  clipboard: message(4, "clipboard", { type: clipboardType, data: bytes(rest) }, large),
  displayConfig: message(5, "displayConfig", { flags: u32, depth: u32 }),
  announceCapabilities: message(6, "announceCapabilities", { request: u32, caps: array(u32, rest) }),
  clipboardGrab: message(7, "clipboardGrab", { types: array(clipboardType, rest) }),
  clipboardRequest: message(8, "clipboardRequest", { type: clipboardType }),
  clipboardRelease: message(9, "clipboardRelease", {}),
  fileXferStart: message(10, "fileXferStart", { id: u32, data: bytes(rest) }, large),
  fileXferStatus: message(11, "fileXferStatus", {
    id: u32,
    result: enumeration(u32, "AgentFileXferStatus", AgentFileXferStatus),
    data: bytes(rest),
  }),
  fileXferData: message(12, "fileXferData", { id: u32, size: u64, data: bytes(rest) }, large),
  clientDisconnected: message(13, "clientDisconnected", {}),
  maxClipboard: message(14, "maxClipboard", { max: i32 }),
  audioVolumeSync: message(15, "audioVolumeSync", { isPlayback: u8, mute: u8, volume: array(u16, u8) }),
  graphicsDeviceInfo: message(16, "graphicsDeviceInfo", { displayInfo: array(deviceDisplay, u32) }, large),
};

/** Clipboard messages if both sides have CLIPBOARD_SELECTION. */
export const agentSelectionMessages = {
  clipboard: message(4, "clipboard", { ...selection, type: clipboardType, data: bytes(rest) }, large),
  clipboardGrab: message(7, "clipboardGrab", { ...selection, types: array(clipboardType, rest) }),
  clipboardRequest: message(8, "clipboardRequest", { ...selection, type: clipboardType }),
  clipboardRelease: message(9, "clipboardRelease", { ...selection }),
};

/** CLIPBOARD_GRAB if both sides have CLIPBOARD_SELECTION and CLIPBOARD_GRAB_SERIAL. */
export const agentSerialMessages = {
  clipboardGrab: message(7, "clipboardGrab", {
    ...selection,
    serial: u32,
    types: array(clipboardType, rest),
  }),
};

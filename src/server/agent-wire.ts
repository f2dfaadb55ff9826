import type { ClientHead } from "../dispatch/index.ts";
import {
  AGENT_MONITORS_MAX,
  array,
  decodeStruct,
  encodeStruct,
  lengthOf,
  struct,
  u32,
  u64,
} from "../protocol/index.ts";
import { AGENT_PIECE } from "./limits.ts";

/** VDIChunkHeader.port: whose message the piece belongs to. */
export const VdpPort = { Client: 1, Server: 2 } as const;

/** VD_AGENT_* message types that the server itself makes or reads. */
export const AgentMessageType = { MouseState: 1, MonitorsConfig: 2, ClientDisconnected: 13 } as const;

/** Bytes of a VDAgentMessage header. */
export const AGENT_MESSAGE_HEADER = 20;
const AGENT_PROTOCOL = 1;
const CHUNK_HEADER = 8;

const chunkHeader = struct({ port: u32, size: u32 }, "VDIChunkHeader");
const agentMessage = struct({ protocol: u32, type: u32, opaque: u64, size: u32 }, "VDAgentMessage");
const mouseState = struct({ x: u32, y: u32, buttons: u32, displayId: u32 }, "VDAgentMouseState");
const monitor = struct({ height: u32, width: u32, depth: u32, x: u32, y: u32 }, "VDAgentMonConfig");
const monitorsConfig = struct(
  { numOfMonitors: lengthOf("monitors", u32), flags: u32, monitors: array(monitor, "numOfMonitors") },
  "VDAgentMonitorsConfig",
);

/** VDI chunks: pieces of agent messages on the guest's port. */
export const chunk = {
  write(port: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(CHUNK_HEADER + data.length);
    bytes.set(encodeStruct("VDIChunkHeader", chunkHeader, { port, size: data.length }));
    bytes.set(data, CHUNK_HEADER);
    return bytes;
  },

  /** The chunk at `at`, or undefined while it is incomplete. @throws on a size that no agent sends. */
  read(bytes: Uint8Array, at: number): { port: number; data: Uint8Array; end: number } | undefined {
    if (bytes.length - at < CHUNK_HEADER) return undefined;
    const { port, size } = decodeStruct("VDIChunkHeader", chunkHeader, bytes, at);
    if (size > AGENT_PIECE)
      throw new Error(`the guest's agent announces a chunk of ${size} bytes, ${AGENT_PIECE} are allowed`);
    const start = at + CHUNK_HEADER;
    if (bytes.length - start < size) return undefined;
    return { port, data: bytes.subarray(start, start + size), end: start + size };
  },
};

/** Type and size of the agent message that begins here. @throws on a protocol other than 1. */
export function decodeAgentHeader(bytes: Uint8Array): { type: number; size: number } {
  const header = decodeStruct("VDAgentMessage", agentMessage, bytes);
  if (header.protocol !== AGENT_PROTOCOL)
    throw new Error(`agent protocol ${header.protocol}, we know ${AGENT_PROTOCOL}`);
  return header;
}

/** A whole agent message of the server's own. */
export function encodeAgentMessage(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(AGENT_MESSAGE_HEADER + body.length);
  const header = { protocol: AGENT_PROTOCOL, type, opaque: 0n, size: body.length };
  bytes.set(encodeStruct("VDAgentMessage", agentMessage, header));
  bytes.set(body, AGENT_MESSAGE_HEADER);
  return bytes;
}

/** VD_AGENT_MOUSE_STATE; the agent's button bits are 2 left, 4 middle, 8 right, 16 up, 32 down. */
export function encodeMouseState(
  x: number,
  y: number,
  buttons: number,
  displayId: number,
): Uint8Array<ArrayBuffer> {
  const body = encodeStruct("VDAgentMouseState", mouseState, {
    x,
    y,
    buttons: (buttons & 31) << 1,
    displayId: 0,
  });
  // The wire has one byte for the display.
  const packed = body.slice(0, 13);
  packed[12] = displayId;
  return encodeAgentMessage(AgentMessageType.MouseState, packed);
}

/** The heads of a MONITORS_CONFIG body. @throws SchemaError, or an Error for too many heads */
export function decodeMonitorsConfig(body: Uint8Array): ClientHead[] {
  const count = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0, true);
  if (count > AGENT_MONITORS_MAX) throw new Error(`${count} monitors, ${AGENT_MONITORS_MAX} are allowed`);
  return decodeStruct("VDAgentMonitorsConfig", monitorsConfig, body).monitors.map(
    ({ x, y, width, height, depth }) => ({
      // Positions are signed on the wire of newer clients; the device takes what fits.
      x: x | 0,
      y: y | 0,
      width,
      height,
      depth,
    }),
  );
}

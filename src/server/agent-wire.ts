import { CodedError } from "../errors/index.ts";
import type { ClientHead } from "../dispatch/index.ts";
import type { MessageDef } from "../protocol/index.ts";
import {
  VDI_CHUNK_HEADER_SIZE,
  VD_AGENT_MAX_DATA_SIZE,
  VD_AGENT_MESSAGE_SIZE,
  VD_AGENT_PROTOCOL,
  agentMessages,
  decodeBody,
  decodeStruct,
  encodeBody,
  encodeStruct,
  vdAgentMessage,
  vdiChunkHeader,
} from "../protocol/index.ts";

/** The agent's port carried what no agent sends; its framing is lost. */
export class AgentPortError extends CodedError {
  override readonly name = "AgentPortError";
  readonly code = "AGENT_PORT";
}

/** One VDI chunk: a piece of at most {@link VD_AGENT_MAX_DATA_SIZE} bytes, with its header. */
export function encodeChunk(port: number, piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VDI_CHUNK_HEADER_SIZE + piece.length);
  bytes.set(encodeStruct("VDIChunkHeader", vdiChunkHeader, { port, size: piece.length }));
  bytes.set(piece, VDI_CHUNK_HEADER_SIZE);
  return bytes;
}

/** Cuts what comes from the agent's port into chunks, however it was divided. */
export class ChunkReader {
  #rest = new Uint8Array(0);

  /** The chunks that `bytes` complete. @throws AgentPortError on a size that no agent sends. */
  *push(bytes: Uint8Array): Generator<{ port: number; piece: Uint8Array }> {
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    let at = 0;
    while (joined.length - at >= VDI_CHUNK_HEADER_SIZE) {
      const { port, size } = decodeStruct("VDIChunkHeader", vdiChunkHeader, joined, at);
      if (size > VD_AGENT_MAX_DATA_SIZE) {
        throw new AgentPortError(
          `the guest's agent announces a chunk of ${size} bytes, ${VD_AGENT_MAX_DATA_SIZE} are allowed`,
        );
      }
      const start = at + VDI_CHUNK_HEADER_SIZE;
      if (joined.length - start < size) break;
      at = start + size;
      yield { port, piece: joined.slice(start, at) };
    }
    this.#rest = joined.slice(at);
  }

  reset(): void {
    this.#rest = new Uint8Array(0);
  }
}

/** A whole agent message of the server's own. */
export function encodeAgentMessage<T>(def: MessageDef<T>, value: T): Uint8Array<ArrayBuffer> {
  return wrapAgentMessage(def.id, encodeBody(def, value));
}

/** VDAgentMessage and its data. */
export function wrapAgentMessage(type: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VD_AGENT_MESSAGE_SIZE + data.length);
  const header = { protocol: VD_AGENT_PROTOCOL, type, opaque: 0n, size: data.length };
  bytes.set(encodeStruct("VDAgentMessage", vdAgentMessage, header));
  bytes.set(data, VD_AGENT_MESSAGE_SIZE);
  return bytes;
}

/** VD_AGENT_MOUSE_STATE from a SpiceMouseButtonMask: the agent's bits lie one above. */
export function encodeMouseState(
  x: number,
  y: number,
  buttons: number,
  displayId: number,
): Uint8Array<ArrayBuffer> {
  return encodeAgentMessage(agentMessages.mouseState, { x, y, buttons: (buttons & 0x7f) << 1, displayId });
}

/** The data of a MONITORS_CONFIG. */
export function encodeMonitorsConfig(heads: readonly ClientHead[]): Uint8Array {
  return encodeBody(agentMessages.monitorsConfig, {
    flags: 0,
    monitors: [...heads],
    physicalSizes: undefined,
  });
}

/** The heads of a MONITORS_CONFIG's data, one per display; those of no size are switched off. @throws SchemaError */
export function decodeMonitorsConfig(data: Uint8Array): ClientHead[] {
  return decodeBody(agentMessages.monitorsConfig, data).monitors.map(({ x, y, width, height, depth }) => ({
    x,
    y,
    width,
    height,
    depth,
  }));
}

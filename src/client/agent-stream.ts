import type { MessageDef } from "../protocol/index.ts";
import {
  AGENT_MESSAGE_MAX,
  VD_AGENT_MESSAGE_SIZE,
  VD_AGENT_PROTOCOL,
  decodeStruct,
  encodeBody,
  encodeStruct,
  vdAgentMessage,
} from "../protocol/index.ts";
import { ClientError } from "./errors.ts";

/** A whole message of the guest's agent. */
export interface AgentMessage {
  /** AgentMessageType */
  readonly type: number;
  readonly data: Uint8Array;
}

/** Joins the pieces of AGENT_DATA to the agent's messages. Keeps what has come, whatever its header announces. */
export class AgentStream {
  readonly #head = new Uint8Array(VD_AGENT_MESSAGE_SIZE);
  #headFilled = 0;
  #type = 0;
  #pieces: Uint8Array[] = [];
  /** Of the data. */
  #size = 0;
  #left = 0;

  /** The messages that a piece completes. @throws ClientError `SERVER_MESSAGE`, `SERVER_LIMIT` */
  *push(piece: Uint8Array): Generator<AgentMessage> {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#headFilled < this.#head.length) {
        const part = rest.subarray(0, this.#head.length - this.#headFilled);
        this.#head.set(part, this.#headFilled);
        this.#headFilled += part.length;
        rest = rest.subarray(part.length);
        if (this.#headFilled < this.#head.length) return;
        this.#begin();
      } else {
        const part = rest.slice(0, this.#left);
        this.#pieces.push(part);
        this.#left -= part.length;
        rest = rest.subarray(part.length);
      }
      if (this.#left === 0) yield this.#take();
    }
  }

  /** Forgets a message under way: the agent has gone. */
  reset(): void {
    this.#headFilled = this.#size = this.#left = 0;
    this.#pieces = [];
  }

  #begin(): void {
    const { protocol, type, size } = decodeStruct("VDAgentMessage", vdAgentMessage, this.#head);
    if (protocol !== VD_AGENT_PROTOCOL)
      throw new ClientError(
        "SERVER_MESSAGE",
        `an agent message of protocol ${protocol}, not ${VD_AGENT_PROTOCOL}`,
      );
    if (size > AGENT_MESSAGE_MAX)
      throw new ClientError(
        "SERVER_LIMIT",
        `an agent message of ${size} bytes, ${AGENT_MESSAGE_MAX} are allowed`,
      );
    this.#type = type;
    this.#size = this.#left = size;
  }

  #take(): AgentMessage {
    const data = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      data.set(piece, at);
      at += piece.length;
    }
    const message = { type: this.#type, data };
    this.reset();
    return message;
  }
}

/** A message for the agent: VDAgentMessage and its data, to be sent in pieces. */
export function encodeAgentMessage<T>(definition: MessageDef<T>, value: T): Uint8Array {
  const data = encodeBody(definition, value);
  const bytes = new Uint8Array(VD_AGENT_MESSAGE_SIZE + data.length);
  const header = { protocol: VD_AGENT_PROTOCOL, type: definition.id, opaque: 0n, size: data.length };
  bytes.set(encodeStruct("VDAgentMessage", vdAgentMessage, header));
  bytes.set(data, VD_AGENT_MESSAGE_SIZE);
  return bytes;
}

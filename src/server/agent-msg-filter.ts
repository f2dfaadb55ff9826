import { CodedError } from "../errors/index.ts";
import {
  AGENT_MESSAGE_MAX,
  AgentCap,
  AgentMessageType,
  VD_AGENT_MESSAGE_SIZE,
  VD_AGENT_PROTOCOL,
  agentMessages,
  decodeStruct,
  vdAgentMessage,
} from "../protocol/index.ts";

/** What clients and guest may exchange through the agent. */
export interface AgentPolicy {
  /** Clipboards, both ways. */
  readonly copyPaste: boolean;
  /** Files dropped on a client's window. */
  readonly fileXfer: boolean;
}

/** What becomes of an agent message (AgentMsgFilterResult). */
export type AgentVerdict = "forward" | "discard" | "monitorsConfig";

/** A piece of an agent message, judged. */
export interface JudgedPiece {
  readonly verdict: AgentVerdict;
  readonly begins: boolean;
  readonly ends: boolean;
  /** Data of a message that the server handles itself, with its last piece. */
  readonly data?: Uint8Array;
}

/** A sender who keeps no step with the agent protocol. */
export class AgentMessageError extends CodedError {
  override readonly name = "AgentMessageError";
  readonly code = "AGENT_MESSAGE";
}

const CLIPBOARD_TYPES: ReadonlySet<number> = new Set([
  AgentMessageType.Clipboard,
  AgentMessageType.ClipboardGrab,
  AgentMessageType.ClipboardRequest,
  AgentMessageType.ClipboardRelease,
]);
const FILE_TYPES: ReadonlySet<number> = new Set([
  AgentMessageType.FileXferStart,
  AgentMessageType.FileXferStatus,
  AgentMessageType.FileXferData,
]);
const CLIPBOARD_CAPS = [AgentCap.Clipboard, AgentCap.ClipboardByDemand, AgentCap.ClipboardSelection];

/**
 * Follows one sender's agent messages through their pieces (AgentMsgFilter of spice-server): where each begins and ends and what is to
 * be done with it. Holds no data but that of a MONITORS_CONFIG.
 */
export class AgentMsgFilter {
  readonly #policy: AgentPolicy;
  #missing = 0;
  #verdict: AgentVerdict = "discard";
  #data: Uint8Array | undefined;
  #filled = 0;

  constructor(policy: AgentPolicy) {
    this.#policy = policy;
  }

  /** Bytes that the message under way still lacks; 0 between two messages. */
  get missing(): number {
    return this.#missing;
  }

  /**
   * Takes one piece; it belongs to one message, and the first of a message holds its whole header. Capabilities that the policy
   * forbids are taken out of `piece` itself.
   * @throws AgentMessageError
   */
  push(piece: Uint8Array): JudgedPiece {
    const begins = this.#missing === 0;
    const body = begins ? this.#begin(piece) : piece;
    if (body.length > this.#missing) {
      const beyond = body.length - this.#missing;
      throw new AgentMessageError(`an agent message goes ${beyond} bytes beyond its announced end`);
    }
    this.#data?.set(body, this.#filled);
    this.#filled += body.length;
    this.#missing -= body.length;
    const ends = this.#missing === 0;
    const data = ends ? this.#data : undefined;
    if (ends) this.#data = undefined;
    return { verdict: this.#verdict, begins, ends, data };
  }

  #begin(piece: Uint8Array): Uint8Array {
    if (piece.length < VD_AGENT_MESSAGE_SIZE) {
      throw new AgentMessageError(
        `an agent message begins with ${VD_AGENT_MESSAGE_SIZE} bytes, this one with ${piece.length}`,
      );
    }
    const { protocol, type, size } = decodeStruct("VDAgentMessage", vdAgentMessage, piece);
    if (protocol !== VD_AGENT_PROTOCOL)
      throw new AgentMessageError(`agent protocol ${protocol}, we know ${VD_AGENT_PROTOCOL}`);
    const limit =
      type === AgentMessageType.MonitorsConfig ? agentMessages.monitorsConfig.maxSize : AGENT_MESSAGE_MAX;
    if (size > limit)
      throw new AgentMessageError(`agent message ${type} announces ${size} bytes, ${limit} are allowed`);
    this.#missing = size;
    this.#filled = 0;
    this.#verdict = this.#judge(type);
    this.#data = this.#verdict === "monitorsConfig" ? new Uint8Array(size) : undefined;
    const body = piece.subarray(VD_AGENT_MESSAGE_SIZE);
    if (type === AgentMessageType.AnnounceCapabilities) this.#limitCapabilities(body);
    return body;
  }

  #judge(type: number): AgentVerdict {
    if (type === AgentMessageType.MonitorsConfig) return "monitorsConfig";
    if (!this.#policy.copyPaste && CLIPBOARD_TYPES.has(type)) return "discard";
    if (!this.#policy.fileXfer && FILE_TYPES.has(type)) return "discard";
    return "forward";
  }

  /** The announcement is {request u32, caps u32[]} and fits in one piece. */
  #limitCapabilities(body: Uint8Array): void {
    const caps = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (caps.byteLength < 8) return;
    let word = caps.getUint32(4, true);
    if (!this.#policy.copyPaste) for (const bit of CLIPBOARD_CAPS) word &= ~(1 << bit);
    if (!this.#policy.fileXfer) word |= 1 << AgentCap.FileXferDisabled;
    caps.setUint32(4, word >>> 0, true);
  }
}

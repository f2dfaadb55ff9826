import { AGENT_MESSAGE_HEADER, AgentMessageType, decodeAgentHeader } from "./agent-wire.ts";
import { AGENT_MESSAGE_MAX, AGENT_MONITORS_MAX } from "../protocol/index.ts";

/** Bytes of the largest MONITORS_CONFIG that is kept whole: its counters, 256 heads, and as many physical sizes. */
const MONITORS_CONFIG_MAX = 8 + AGENT_MONITORS_MAX * (20 + 4);

/**
 * Follows one client's agent messages through its AGENT_DATA pieces (the AgentMsgFilter of spice-server): where a message begins and
 * ends, of which type it is, and the body of those that the server handles itself.
 */
export class AgentAssembler {
  #missing = 0;
  #type: number | undefined;
  #body: Uint8Array | undefined;
  #filled = 0;

  /** Bytes that the message under way still lacks. */
  get missing(): number {
    return this.#missing;
  }

  /** Type of the message that the last piece belonged to. */
  get type(): number | undefined {
    return this.#type;
  }

  /**
   * Takes one piece; true if it begins a message.
   * @throws if a message's first piece lacks its header, or a piece goes beyond its message.
   */
  push(piece: Uint8Array): boolean {
    let body = piece;
    const begins = this.#missing === 0;
    if (begins) {
      if (piece.length < AGENT_MESSAGE_HEADER) {
        throw new Error(
          `an agent message begins with ${AGENT_MESSAGE_HEADER} bytes, this one with ${piece.length}`,
        );
      }
      const header = decodeAgentHeader(piece);
      if (header.size > AGENT_MESSAGE_MAX) {
        throw new Error(`an agent message announces ${header.size} bytes, ${AGENT_MESSAGE_MAX} are allowed`);
      }
      this.#type = header.type;
      this.#missing = header.size;
      this.#filled = 0;
      this.#body = undefined;
      if (header.type === AgentMessageType.MonitorsConfig) {
        if (header.size > MONITORS_CONFIG_MAX) throw new Error(`a monitors config of ${header.size} bytes`);
        this.#body = new Uint8Array(header.size);
      }
      body = piece.subarray(AGENT_MESSAGE_HEADER);
    }
    if (body.length > this.#missing) {
      throw new Error(`an agent message goes ${body.length - this.#missing} bytes beyond its announced end`);
    }
    this.#body?.set(body, this.#filled);
    this.#filled += body.length;
    this.#missing -= body.length;
    return begins;
  }

  /** The whole body of a message that the server handles itself, once its last piece is there. */
  takeBody(): Uint8Array | undefined {
    if (this.#missing > 0) return undefined;
    const body = this.#body;
    this.#body = undefined;
    return body;
  }

  reset(): void {
    this.#missing = 0;
    this.#body = undefined;
  }
}

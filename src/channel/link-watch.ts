import type { LinkMess } from "../protocol/index.ts";
import {
  CommonCap,
  LINK_HEADER_SIZE,
  LINK_MAGIC,
  LINK_MESSAGE_MAX,
  LinkError,
  TICKET_SIZE,
  decodeLinkMess,
  hasCap,
} from "../protocol/index.ts";
import type { StreamPosition } from "../transport/index.ts";

const AUTH_MECHANISM_BYTES = 4;
const LINK_RESULT_BYTES = 4;

/**
 * Follows a connection's link stage from outside, without a part in it: from what both ends say it learns which channel this is, and
 * with which byte of each direction the channel begins. A link that fails, or is none, is told of by nobody.
 */
export class LinkWatch {
  /** Of the client, as far as its link message; undefined once that is known, or is none. */
  #asked: Uint8Array | undefined = new Uint8Array(0);
  #answered: Uint8Array | undefined = new Uint8Array(0);
  #mess: LinkMess | undefined;
  #linkBytes = 0;
  readonly #onLinked: (link: LinkMess, linkStage: StreamPosition) => void;

  /** @param onLinked the server let the client in; called while its answer is handed over */
  constructor(onLinked: (link: LinkMess, linkStage: StreamPosition) => void) {
    this.#onLinked = onLinked;
  }

  /** From the client. */
  received(bytes: Uint8Array): void {
    if (this.#asked === undefined) return;
    this.#asked = joined(this.#asked, bytes);
    const size = bodyBytes(this.#asked);
    if (size === "more") return;
    if (size === "other") return this.#giveUp();
    if (this.#asked.length < LINK_HEADER_SIZE + size) return;
    this.#linkBytes = LINK_HEADER_SIZE + size;
    const body = this.#asked.subarray(LINK_HEADER_SIZE, this.#linkBytes);
    this.#asked = undefined;
    try {
      this.#mess = decodeLinkMess(body);
    } catch {
      // Whoever it is for says what is wrong with it.
      this.#giveUp();
    }
  }

  /** To the client. @returns what of these bytes is the channel's already; all that comes behind is */
  sent(bytes: Uint8Array): Uint8Array {
    if (this.#answered === undefined) return bytes;
    const before = this.#answered.length;
    this.#answered = joined(this.#answered, bytes);
    const size = bodyBytes(this.#answered);
    const none = bytes.subarray(bytes.length);
    if (size === "more") return none;
    const end = size === "other" ? 0 : LINK_HEADER_SIZE + size + LINK_RESULT_BYTES;
    if (this.#answered.length < end) return none;
    const answered = this.#answered;
    const mess = this.#mess;
    this.#giveUp();
    if (size === "other" || mess === undefined) return none;
    const result = new DataView(answered.buffer).getUint32(end - LINK_RESULT_BYTES, true);
    if (result !== LinkError.Ok) return none;
    const mechanism = hasCap(mess.commonCaps, CommonCap.ProtocolAuthSelection) ? AUTH_MECHANISM_BYTES : 0;
    this.#onLinked(mess, { read: this.#linkBytes + mechanism + TICKET_SIZE, written: end });
    return bytes.subarray(end - before);
  }

  /** There is nothing more to learn. */
  #giveUp(): void {
    this.#asked = this.#answered = undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** SpiceLinkHeader's size: `more` must come to know it; `other` is no link of SPICE. */
function bodyBytes(bytes: Uint8Array): number | "more" | "other" {
  if (bytes.length < LINK_HEADER_SIZE) return "more";
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  const size = header.getUint32(LINK_HEADER_SIZE - 4, true);
  return header.getUint32(0, true) === LINK_MAGIC && size <= LINK_MESSAGE_MAX ? size : "other";
}

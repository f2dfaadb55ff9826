import { Pace } from "../transport/pace.ts";
import type { RelayLimits } from "./limits.ts";
import { SMALL_FRAME_BYTES } from "./limits.ts";

/**
 * Small pieces that come together travel as one message: each message costs its reader, the hosting tab, the same whatever is in it. A
 * piece leaves at the end of the turn of the event loop in which it came; when pieces do not end, at the pace of {@link RelayLimits}.
 */
export class JoinedWrites implements Disposable {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #pace: Pace;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #late: NodeJS.Timeout | undefined;
  #atEndOfTurn: NodeJS.Immediate | undefined;

  constructor(limits: RelayLimits, send: (bytes: Uint8Array) => void) {
    this.#pace = new Pace(limits.messagesAtOnce, limits.messageRestMs);
    this.#send = send;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= SMALL_FRAME_BYTES) return this.flush();
    if (this.#late !== undefined || this.#atEndOfTurn !== undefined) return;
    const { dueInMs } = this.#pace;
    const leave = () => {
      this.#pace.spend();
      this.flush();
    };
    if (dueInMs === 0) this.#atEndOfTurn = setImmediate(leave);
    else this.#late = setTimeout(leave, dueInMs);
  }

  /** Sends what waits. */
  flush(): void {
    this[Symbol.dispose]();
    if (this.#bytes === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    this.#send(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#late);
    clearImmediate(this.#atEndOfTurn);
    this.#late = this.#atEndOfTurn = undefined;
  }
}

import type { AckInspection } from "../dispatch/index.ts";
import { ACK_WINDOWS_IN_FLIGHT } from "./limits.ts";

/**
 * Flow control by SET_ACK / ACK_SYNC / ACK, as RedChannelClient of spice-server keeps it: every sent message counts, an ACK
 * takes one window off, and nothing but SET_ACK may be sent while two windows are outstanding. ACKs count only once the client
 * has answered the current generation with ACK_SYNC, because earlier ones belong to an older window.
 */
export class AckWindow {
  readonly window: number;
  #generation: number;
  #clientGeneration = -1;
  /** Blocked until SET_ACK was sent, as spice-server's counter that starts at 0xffffffff. */
  #outstanding = Number.POSITIVE_INFINITY;
  #lastAckMs: number | undefined;

  /** @param generation the last one that this client was told of, if another thread had the channel before */
  constructor(window: number, generation = 0) {
    this.window = window;
    this.#generation = generation;
  }

  /** Messages sent since the last acknowledged window. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** True while the sender has to wait for an ACK. */
  get waiting(): boolean {
    return this.#outstanding >= this.window * ACK_WINDOWS_IN_FLIGHT;
  }

  get inspection(): AckInspection {
    return {
      window: this.window,
      outstanding: Number.isFinite(this.#outstanding) ? this.#outstanding : null,
      ...(this.#lastAckMs !== undefined && { sinceMs: performance.now() - this.#lastAckMs }),
    };
  }

  /** Starts a new generation; the result is the body of the SET_ACK message to send. */
  begin(): { generation: number; window: number } {
    this.#generation++;
    this.#outstanding = 0;
    return { generation: this.#generation, window: this.window };
  }

  /** One message was sent. */
  sent(): void {
    this.#outstanding++;
  }

  /** ACK_SYNC from the client. An unknown generation is ignored, as spice-server does. */
  sync(generation: number): void {
    this.#clientGeneration = generation;
  }

  /** ACK from the client. Never drops below zero, however many a hostile client sends. */
  ack(): void {
    if (this.#clientGeneration !== this.#generation) return;
    this.#outstanding = Math.max(0, this.#outstanding - this.window);
    this.#lastAckMs = performance.now();
  }
}

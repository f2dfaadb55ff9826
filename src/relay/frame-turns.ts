import type { RawData, WebSocket } from "ws";
import { Pace } from "../transport/pace.ts";
import type { RelayLimits } from "./limits.ts";
import { SMALL_FRAME_BYTES } from "./limits.ts";

/** Whose frames they are: the page's own streams carry what it draws, as fast as it draws it. */
export type FrameSender = "anybody" | "host stream";

/**
 * Reads a WebSocket by turns. The acceptors have one message at most handed over in each turn of the event loop; here its sender is made
 * to rest when small ones do not end, and is ended when those do not end that carry nothing.
 */
export class FrameTurns implements Disposable {
  readonly #socket: WebSocket;
  readonly #flooded: (reason: string) => void;
  readonly #small: Pace | undefined;
  readonly #empty: Pace;
  #rest: NodeJS.Timeout | undefined;
  /** The owner of the socket wants it so. */
  #isPaused = false;
  #isFlooded = false;

  /** @param flooded ends the connection in order */
  constructor(
    socket: WebSocket,
    limits: RelayLimits,
    sender: FrameSender,
    flooded: (reason: string) => void,
  ) {
    this.#socket = socket;
    this.#flooded = flooded;
    this.#small = sender === "anybody" ? new Pace(limits.framesAtOnce, limits.frameRestMs) : undefined;
    this.#empty = new Pace(limits.emptyFramesAtOnce, limits.emptyFrameRestMs);
    socket.on("message", (data: RawData) => this.#count(lengthOf(data)));
    socket.on("ping", () => this.#count(0));
    socket.on("pong", () => this.#count(0));
    socket.on("close", () => this[Symbol.dispose]());
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#rest === undefined) this.#socket.resume();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#rest);
  }

  #count(bytes: number): void {
    if (bytes === 0 && !this.#empty.take() && !this.#isFlooded) {
      this.#isFlooded = true;
      this.#flooded("too many messages and pings without a byte in them");
    }
    if (bytes >= SMALL_FRAME_BYTES || this.#small === undefined) return;
    this.#small.spend();
    // What was read of the socket already still comes, one in a turn: it is owed, and the rest is as much longer.
    if (this.#rest === undefined) this.#restWhileDue();
  }

  #restWhileDue(): void {
    this.#rest = undefined;
    const dueInMs = this.#small?.dueInMs ?? 0;
    if (dueInMs > 0) {
      this.#socket.pause();
      this.#rest = setTimeout(() => this.#restWhileDue(), dueInMs);
    } else if (!this.#isPaused && this.#socket.isPaused) {
      this.#socket.resume();
    }
  }
}

function lengthOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, { length }) => sum + length, 0) : data.byteLength;
}

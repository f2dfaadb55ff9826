import type { RawData, WebSocket } from "ws";
import { closeReason } from "../formats/index.ts";
import { ByteEnd } from "./byte-end.ts";
import { FrameTurns } from "./frame-turns.ts";
import type { FrameSender } from "./frame-turns.ts";
import { JoinedWrites } from "./joined-writes.ts";
import type { RelayLimits } from "./limits.ts";

const NORMAL_CLOSURE = 1000;
const POLICY_VIOLATION = 1008;

/** A WebSocket as the end of a tunnel: the bytes of its binary messages, whose boundaries mean nothing. */
export class WebSocketEnd extends ByteEnd {
  readonly #socket: WebSocket;
  readonly #turns: FrameTurns;
  /** Towards the hosting tab only. */
  readonly #joined: JoinedWrites | undefined;
  #high = false;
  #deadline: NodeJS.Timeout | undefined;
  readonly #pings: NodeJS.Timeout;
  /** When the oldest ping was sent that nothing has answered. */
  #pingedAtMs: number | undefined;
  #isPaused = false;
  /** What it sends from now on is dropped. */
  #isFlooding = false;
  #closeCode: number | undefined;

  constructor(socket: WebSocket, limits: RelayLimits, sender: FrameSender) {
    super(limits);
    this.#socket = socket;
    this.#turns = new FrameTurns(socket, limits, sender, (reason) => {
      this.#isFlooding = true;
      this.end(POLICY_VIOLATION, reason);
    });
    this.#joined =
      sender === "host stream" ? new JoinedWrites(limits, (bytes) => this.#send(bytes)) : undefined;
    // Whatever stands in between and ends idle connections sees that this one is in use.
    this.#pings = setInterval(() => {
      // A peer whose network is gone says nothing for ever.
      if (performance.now() - (this.#pingedAtMs ?? Infinity) > limits.silenceLimitMs) socket.terminate();
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount > 0) return;
      if (!this.#isPaused) this.#pingedAtMs ??= performance.now();
      socket.ping();
    }, limits.pingIntervalMs);
    let failure: string | undefined;
    socket.on("pong", () => (this.#pingedAtMs = undefined));
    socket.on("message", (data, isBinary) => {
      this.#pingedAtMs = undefined;
      const bytes = toBuffer(data);
      if (this.#isFlooding || (isBinary && bytes.length === 0)) return;
      if (isBinary) this.received(bytes);
      else this.end(1003, "SPICE travels in binary messages");
    });
    socket.on("error", (error) => (failure = `the WebSocket failed: ${error.message}`));
    socket.on("close", (code, reason) => {
      clearTimeout(this.#deadline);
      clearInterval(this.#pings);
      this.#joined?.[Symbol.dispose]();
      this.#closeCode = code;
      const words = reason.length > 0 ? reason.toString() : `the WebSocket closed with code ${code}`;
      this.peerClosed(failure ?? words);
    });
  }

  override write(bytes: Uint8Array): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return true;
    if (this.#joined !== undefined) this.#joined.write(bytes);
    else this.#send(bytes);
    if (this.#socket.bufferedAmount > this.limits.highWaterBytes) this.#high = true;
    return !this.#high;
  }

  #send(bytes: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(bytes, { binary: true }, () => {
      if (!this.#high || this.#socket.bufferedAmount > this.limits.lowWaterBytes) return;
      this.#high = false;
      this.drained();
    });
  }

  override get endedInOrder(): boolean {
    return this.#deadline !== undefined || this.#closeCode === NORMAL_CLOSURE;
  }

  override pauseReading(): void {
    // Nor can one be heard that is not read.
    this.#isPaused = true;
    this.#pingedAtMs = undefined;
    this.#turns.pause();
  }

  override resumeReading(): void {
    this.#isPaused = false;
    this.#turns.resume();
  }

  override end(code: number, reason: string): void {
    if (this.#deadline !== undefined || this.closed) return;
    this.#deadline = setTimeout(() => this.#socket.terminate(), this.limits.closeDeadlineMs);
    this.#joined?.flush();
    this.#socket.close(code, closeReason(reason));
    // The peer's close frame is behind what it sent before: it can only be seen by reading on.
    this.#turns.resume();
  }

  override destroy(): void {
    this.#socket.terminate();
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

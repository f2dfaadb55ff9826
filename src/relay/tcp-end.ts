import type { Socket } from "node:net";
import { ByteEnd } from "./byte-end.ts";
import type { RelayLimits } from "./limits.ts";

/** A TCP (or TLS) socket as the end of a tunnel. The listener must allow half-open sockets. */
export class TcpEnd extends ByteEnd {
  readonly #socket: Socket;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: Socket, limits: RelayLimits) {
    super(limits);
    this.#socket = socket;
    // Input events are a few bytes each: waiting to fill a segment would be felt under the hand.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 600_000);
    let failure: string | undefined;
    socket.on("data", (bytes: Buffer) => this.received(bytes));
    socket.on("drain", () => this.drained());
    socket.on("end", () => this.peerEnded("the client closed the connection"));
    socket.on("error", (error) => (failure = `the client's connection failed: ${error.message}`));
    socket.on("close", () => {
      clearTimeout(this.#deadline);
      this.peerClosed(failure ?? "the client's connection is closed");
    });
  }

  override write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    // What comes in one piece goes out in one: a call of the system for each small message is most of what a link costs here.
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return socket.write(bytes);
  }

  override pauseReading(): void {
    this.#socket.pause();
  }

  override resumeReading(): void {
    this.#socket.resume();
  }

  override end(): void {
    if (this.#deadline !== undefined || this.closed) return;
    this.#deadline = setTimeout(() => this.#socket.destroy(), this.limits.closeDeadlineMs);
    this.#socket.end();
    // A half-open socket closes only when its readable side has ended too: read on, whatever comes is dropped.
    this.#socket.resume();
  }

  override destroy(): void {
    this.#socket.destroy();
  }
}

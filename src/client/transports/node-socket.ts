import { connect } from "node:net";
import type { Socket } from "node:net";
import { TRANSPORT_HIGH_WATER } from "../limits.ts";
import type { ByteTransport } from "../transport.ts";
import { Inbound } from "./inbound.ts";

/** A Node socket, TCP or TLS, as a transport. It is paused while its reader is behind. */
export class NodeSocketTransport extends Inbound implements ByteTransport {
  readonly socket: Socket;
  #error: Error | undefined;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    // Node's buffers are parts of a pool that it uses again.
    socket.on("data", (piece: Buffer) => this.received(new Uint8Array(piece)));
    socket.on("error", (error) => (this.#error = error));
    socket.on("end", () => this.finished("the server ended the connection"));
    socket.on("close", () => this.finished(this.#error?.message ?? "the connection ended"));
  }

  write(bytes: Uint8Array): void {
    if (!this.socket.writableEnded && !this.socket.destroyed) this.socket.write(bytes);
  }

  close(): void {
    this.silence();
    this.socket.end();
    // What still comes is for nobody; unread it would keep the socket open.
    this.socket.resume();
  }

  protected override flowChanged(): void {
    if (this.waiting > TRANSPORT_HIGH_WATER) this.socket.pause();
    else if (this.socket.isPaused() && this.onData !== undefined) this.socket.resume();
  }
}

/** Connects by TCP. @throws Error of the operating system's */
export async function dialTcp(port: number, host = "127.0.0.1"): Promise<NodeSocketTransport> {
  const socket = connect({ port, host, noDelay: true });
  const transport = new NodeSocketTransport(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return transport;
}

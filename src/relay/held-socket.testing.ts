import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";

/** A socket whose other side is the test: it takes a write when it was released, where a kernel would take megabytes by itself. */
export class HeldSocket extends Duplex {
  readonly taken: Buffer[] = [];
  #held: (() => void) | undefined;
  open = false;

  constructor() {
    super({ highWaterMark: 16 * 1024 });
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  override _read(): void {}
  override _write(bytes: Buffer, _: string, done: () => void): void {
    this.taken.push(bytes);
    if (this.open) setImmediate(done);
    else this.#held = done;
  }

  /** From now on the peer reads all. */
  release(): void {
    this.open = true;
    this.#held?.();
  }

  get bytesTaken(): number {
    return this.taken.reduce((sum, { length }) => sum + length, 0);
  }
}

/** The server's end of a WebSocket over a held socket. */
export function heldWebSocket(server: WebSocketServer): { socket: HeldSocket; webSocket: WebSocket } {
  const socket = new HeldSocket();
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
  let webSocket: WebSocket | undefined;
  const request = { method: "GET", url: "/", headers } as IncomingMessage;
  server.handleUpgrade(request, socket, Buffer.alloc(0), (made) => (webSocket = made));
  return { socket, webSocket: webSocket! };
}

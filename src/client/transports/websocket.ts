import { ClientError } from "../errors.ts";
import { TRANSPORT_UNREAD_MAX } from "../limits.ts";
import type { ByteTransport } from "../transport.ts";
import { Inbound } from "./inbound.ts";

/** What is needed of a WebSocket: the browser's, or that of the `ws` package. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "close" | "error" | "message", listener: (event: never) => void): void;
}

const CONNECTING = 0;
const OPEN = 1;
const NORMAL_CLOSURE = 1000;

/** A WebSocket as a transport. It cannot hold its peer back, so a reader that is far behind ends it. */
export class WebSocketTransport extends Inbound implements ByteTransport {
  readonly #socket: WebSocketLike;
  /** Written before the socket was open. */
  #early: Uint8Array[] = [];

  constructor(socket: WebSocketLike) {
    super();
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      for (const bytes of this.#early.splice(0)) this.write(bytes);
    });
    socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer | Uint8Array | string>) => {
      if (typeof data === "string") return this.#fail("a text message on a binary stream");
      this.received(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code, reason }: CloseEvent) =>
      this.finished(reason || `WebSocket closed (${code})`),
    );
    socket.addEventListener("error", () => this.finished("WebSocket error"));
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.readyState === CONNECTING) this.#early.push(bytes.slice());
    // The view of a whole buffer, or a copy: never more than was to be sent.
    else if (this.#socket.readyState === OPEN) this.#socket.send(bytes.slice());
  }

  close(): void {
    this.silence();
    if (this.#socket.readyState <= OPEN) this.#socket.close(NORMAL_CLOSURE);
  }

  protected override flowChanged(): void {
    if (this.waiting > TRANSPORT_UNREAD_MAX) this.#fail("the server sends more than is read");
  }

  #fail(reason: string): void {
    this.finished(reason);
    this.#socket.close(NORMAL_CLOSURE, reason);
  }
}

/** Connects to a server's WebSocket. @throws ClientError `SERVER_UNREACHABLE` */
export async function dialWebSocket(url: string | URL): Promise<WebSocketTransport> {
  const socket = new WebSocket(url, "binary");
  const transport = new WebSocketTransport(socket as unknown as WebSocketLike);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("close", ({ code, reason }) =>
      reject(
        new ClientError(
          "SERVER_UNREACHABLE",
          `${String(url)}: ${reason || `the WebSocket closed with ${code}`}`,
        ),
      ),
    );
  });
  return transport;
}

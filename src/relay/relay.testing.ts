import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { WebSocket } from "ws";
import type { RelayMessage } from "./control.ts";
import { createRelay } from "./relay.ts";
import type { Relay, RelayOptions } from "./relay.ts";

/** A relay on free loopback ports, with the HTTP server that carries its upgrades. */
export class TestRelay implements AsyncDisposable {
  readonly relay: Relay;
  readonly log: string[] = [];
  readonly #http: Server;
  spicePort = 0;
  httpPort = 0;

  private constructor(options: RelayOptions) {
    const limits = { shutdownDeadlineMs: 50, ...options.limits };
    this.relay = createRelay({ spicePort: 0, ...options, limits, log: (line) => this.log.push(line) });
    this.#http = createServer((_, response) => response.end());
    this.#http.on("upgrade", (request, socket, head) => {
      if (!this.relay.handleUpgrade(request, socket, head)) socket.destroy();
    });
  }

  static async start(options: RelayOptions = {}): Promise<TestRelay> {
    const self = new TestRelay(options);
    self.spicePort = (await self.relay.listen()).port;
    self.#http.listen(0, "127.0.0.1");
    await once(self.#http, "listening");
    self.httpPort = (self.#http.address() as AddressInfo).port;
    return self;
  }

  webSocket(path: string, options: { origin?: string; protocols?: string[]; host?: string } = {}): WebSocket {
    const socket = new WebSocket(`ws://127.0.0.1:${this.httpPort}${path}`, options.protocols ?? [], {
      perMessageDeflate: false,
      headers: {
        ...(options.origin === undefined ? {} : { Origin: options.origin }),
        ...(options.host === undefined ? {} : { Host: options.host }),
      },
    });
    return socket.on("error", () => {});
  }

  client(): Socket {
    const socket = connect({ port: this.spicePort, host: "127.0.0.1", allowHalfOpen: true });
    // Tests look at what arrives and how it ends; the end of a test may reset the rest.
    return socket.on("error", () => {});
  }

  async host(hostId = "one"): Promise<TestHost> {
    const host = new TestHost(this, this.webSocket("/host"));
    await once(host.socket, "open");
    host.socket.send(JSON.stringify({ type: "hello", name: `tab ${hostId}`, version: "1", hostId }));
    await host.next("welcome");
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

/** The tab's side of the control connection. */
export class TestHost {
  readonly socket: WebSocket;
  readonly #relay: TestRelay;
  readonly #messages: RelayMessage[] = [];
  #wake: (() => void) | undefined;

  constructor(relay: TestRelay, socket: WebSocket) {
    this.#relay = relay;
    this.socket = socket;
    socket.on("message", (data) => {
      this.#messages.push(JSON.parse(String(data)) as RelayMessage);
      this.#wake?.();
    });
  }

  /** The next message of that type; others before it are dropped. */
  async next<T extends RelayMessage["type"]>(type: T): Promise<Extract<RelayMessage, { type: T }>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (message.type === type) {
        return message as Extract<RelayMessage, { type: T }>;
      }
    }
  }

  dial(id: number, token: string): WebSocket {
    return this.#relay.webSocket(`/streams/${id}?token=${token}`);
  }

  /** Answers the next open. */
  async join(): Promise<WebSocket> {
    const { id, token } = await this.next("open");
    return this.dial(id, token);
  }
}

/** Everything that arrives, until `count` bytes are there. */
export async function readBytes(source: Socket | WebSocket, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    const take = (bytes: Buffer) => {
      pieces.push(bytes);
      length += bytes.length;
      if (length >= count) resolve();
    };
    if (source instanceof WebSocket) source.on("message", (data) => take(data as Buffer));
    else source.on("data", take);
    source.on("close", () => reject(new Error(`closed after ${length} of ${count} bytes`)));
  });
  return Buffer.concat(pieces);
}

/** How a WebSocket ended. */
export async function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** The status with which an upgrade was refused. */
export async function refusedStatus(socket: WebSocket): Promise<number | undefined> {
  return new Promise((resolve) => {
    socket.on("unexpected-response", (_, response) => {
      resolve(response.statusCode);
      socket.terminate();
    });
    socket.on("open", () => resolve(undefined));
    socket.on("error", () => {});
  });
}

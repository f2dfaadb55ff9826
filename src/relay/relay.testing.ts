import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { vi } from "vitest";
import { WebSocket } from "ws";
import type { HostMessage, RelayMessage } from "../relay-control/index.ts";
import { RELAY_CONTROL_PROTOCOL } from "../relay-control/index.ts";
import { createRelay } from "./relay.ts";
import type { Relay, RelayOptions } from "./relay.ts";
import { eventually } from "../waiting.testing.ts";

/** A whole link message: header, connection 0, main channel, no capabilities. */
export const LINK = Buffer.concat([
  Buffer.from("REDQ"),
  Buffer.from(Uint32Array.of(2, 2, 18).buffer),
  Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 0, 0, 0]),
]);

/** What follows it: a sealed password, of whatever. */
export const TICKET = Buffer.alloc(128, 7);

/** Stops the clock of all that is started from here on; it moves when told to. Sockets go on by themselves. */
export function stopClock(): { pass(ms: number): void } & Disposable {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
  return {
    pass: (ms) => void vi.advanceTimersByTime(ms),
    [Symbol.dispose]: () => void vi.useRealTimers(),
  };
}

/** A relay on free loopback ports, with the HTTP server that carries its upgrades. */
export class TestRelay implements AsyncDisposable {
  readonly relay: Relay;
  readonly log: string[] = [];
  readonly #http: Server;
  spicePort = 0;
  httpPort = 0;

  private constructor(options: RelayOptions) {
    const limits = { shutdownDeadlineMs: 50, hostReturnMs: 0, ...options.limits };
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

  /** A client's connection that has said nothing yet. */
  client(): Socket {
    const socket = connect({ port: this.spicePort, host: "127.0.0.1", allowHalfOpen: true });
    // Tests look at what arrives and how it ends; the end of a test may reset the rest.
    return socket.on("error", () => {});
  }

  /** A client that has said its link. */
  linking(): Socket {
    const client = this.client();
    client.write(LINK);
    return client;
  }

  /** The same by WebSocket. */
  linkingWebSocket(path = "/spice"): WebSocket {
    const client = this.webSocket(path, { protocols: ["binary"] });
    return client.on("open", () => client.send(LINK));
  }

  /** A client whose stream the host has opened, and which has had its link. */
  async joined(host: TestHost): Promise<{ client: Socket; stream: WebSocket; id: number }> {
    const client = this.linking();
    const { id, token } = await host.next("open");
    const stream = host.dial(id, token);
    await readBytes(stream, LINK.length);
    return { client, stream, id };
  }

  /** A tab that has the place. */
  async host(hostId = "one"): Promise<TestHost> {
    const host = await this.hello(hostId);
    await host.next("welcome");
    return host;
  }

  /** A tab that has said hello, and waits for the answer. */
  async hello(
    hostId: string,
    secret: string = this.relay.secret,
    protocol: number = RELAY_CONTROL_PROTOCOL,
  ): Promise<TestHost> {
    const host = new TestHost(this, this.webSocket("/host"));
    await once(host.socket, "open");
    host.say({
      type: "hello",
      protocol,
      name: `tab ${hostId}`,
      version: "1",
      hostId,
      secret,
    });
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

  constructor(relay: TestRelay, socket: WebSocket) {
    this.#relay = relay;
    this.socket = socket;
    socket.on("message", (data) => {
      this.#messages.push(JSON.parse(String(data)) as RelayMessage);
    });
  }

  say(message: HostMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message of that type; others before it are dropped. */
  async next<T extends RelayMessage["type"]>(type: T): Promise<Extract<RelayMessage, { type: T }>> {
    const isOfType = (message: RelayMessage) => message.type === type;
    const next = () => {
      while (this.#messages.length > 0) {
        const message = this.#messages.shift()!;
        if (isOfType(message)) return message;
      }
      return undefined;
    };
    return (await eventually(next, `a message of type ${type}`)) as Extract<RelayMessage, { type: T }>;
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

/** A tab that opens every stream that it is asked for, and takes whoever has said link and ticket for a channel. */
export class WillingHost {
  readonly host: TestHost;
  /** Connections whose link it has heard, by their number. */
  readonly heard = new Set<number>();
  /** Those of them that became channels. */
  readonly linked = new Set<number>();

  constructor(relay: TestRelay, host: TestHost) {
    this.host = host;
    host.socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as RelayMessage;
      if (message.type !== "open") return;
      const { id } = message;
      const stream = relay.webSocket(`/streams/${id}?token=${message.token}`);
      let bytes = 0;
      stream.on("message", (piece: Buffer) => {
        bytes += piece.length;
        if (bytes >= LINK.length) this.heard.add(id);
        if (bytes < LINK.length + TICKET.length || this.linked.has(id)) return;
        this.linked.add(id);
        host.say({ type: "linked", id, channel: "main" });
        stream.send(Buffer.from("in"));
      });
    });
  }
}

/** Everything that arrives, until `count` bytes are there. */
export async function readBytes(source: Socket | WebSocket, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  const event = source instanceof WebSocket ? "message" : "data";
  await new Promise<void>((resolve, reject) => {
    const take = (bytes: Buffer) => {
      pieces.push(bytes);
      length += bytes.length;
      if (length < count) return;
      source.off(event, take);
      resolve();
    };
    source.on(event, take);
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

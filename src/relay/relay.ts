/**
 * The relay: SPICE clients come in by TCP or WebSocket, the hosting tab dials out to it, and each client is joined to
 * the stream that the tab opens for it. It keeps no state of SPICE and never looks into the bytes.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { ByteEnd } from "./byte-end.ts";
import { RelayClose } from "./control.ts";
import type { HostMessage, RelayPeer, SpiceAddress } from "./control.ts";
import { HostLink } from "./host-link.ts";
import * as limit from "./limits.ts";
import type { RelayLimits } from "./limits.ts";
import { isLoopbackAddress, isSameOrigin, isTrustedHost, mayBeClient } from "./origin.ts";
import { clientAddress, isSecure, peerAddress } from "./proxy.ts";
import { reachable } from "./reachable.ts";
import type { Reachable } from "./reachable.ts";
import { refuseLink } from "./refusal.ts";
import { TcpEnd } from "./tcp-end.ts";
import { Tunnel } from "./tunnel.ts";
import { WebSocketEnd } from "./websocket-end.ts";

/** How a relay is made. */
export interface RelayOptions {
  /** Address to listen on for SPICE over TCP. @default "127.0.0.1" */
  readonly host?: string;
  /** TCP port for SPICE; 0 takes a free one. @default 5900 */
  readonly spicePort?: number;
  /** Origins (like "https://example.org") whose pages may be SPICE clients, besides our own and this machine's. */
  readonly allowedOrigins?: readonly string[];
  /** Names under which this server is known, besides addresses and localhost; see isTrustedHost. */
  readonly serverNames?: readonly string[];
  /** URLs, ending with a slash, under which a reverse proxy shows the page: their pages are our own. */
  readonly publicUrls?: readonly string[];
  readonly version?: string;
  readonly limits?: Partial<RelayLimits>;
  /** One line for a person at each event worth knowing. @default nothing */
  readonly log?: (line: string) => void;
}

/** What `/healthz` says. */
export interface RelayHealth {
  readonly hosting: boolean;
  readonly host: string;
  /** SPICE clients (not connections) as the hosting tab reported. */
  readonly clients: number;
  readonly connections: number;
  readonly pending: number;
  readonly spice: readonly SpiceAddress[];
}

/** The address is taken or not ours: says which, and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  constructor(what: string, host: string, port: number, cause: NodeJS.ErrnoException, option: string) {
    const words =
      cause.code === "EADDRINUSE"
        ? `port ${port} on ${host} is in use; end the program that has it or choose another with ${option}`
        : `cannot listen on ${host}:${port}: ${cause.message}`;
    super(`${what}: ${words}`, { cause });
  }
}

interface PendingClient {
  readonly id: number;
  readonly token: string;
  readonly peer: RelayPeer;
  readonly client: ByteEnd;
  readonly deadline: NodeJS.Timeout;
  readonly refuse: (reason: string) => void;
}

export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #limits: RelayLimits;
  readonly #log: (line: string) => void;
  readonly #server: Server;
  readonly #control = acceptor(limit.MAX_CONTROL_MESSAGE_BYTES);
  readonly #streams = acceptor(limit.MAX_STREAM_MESSAGE_BYTES);
  readonly #clients = acceptor(limit.MAX_CLIENT_MESSAGE_BYTES);
  readonly #links = new Set<HostLink>();
  readonly #pending = new Map<number, PendingClient>();
  readonly #tunnels = new Set<Tunnel>();
  readonly #connections = new Set<ByteEnd>();
  #host: HostLink | undefined;
  #nextId = 1;
  #closing = false;

  constructor(options: RelayOptions = {}) {
    this.#options = options;
    this.#limits = { ...limit.DEFAULT_RELAY_LIMITS, ...options.limits };
    this.#log = options.log ?? (() => {});
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const address = peerAddress(socket.remoteAddress, socket.remotePort);
      const client = new TcpEnd(socket, this.#limits);
      this.#accept(client, { transport: "tcp", address, secure: false }, () =>
        refuseLink(client, this.#limits),
      );
    });
  }

  /** Where SPICE clients connect to by TCP; empty before `listen`. */
  get spice(): readonly SpiceAddress[] {
    const address = this.#server.address() as AddressInfo | null;
    return address === null ? [] : [{ host: address.address, port: address.port }];
  }

  /** How clients reach it, told to whoever sent this request. */
  reachable(request: IncomingMessage): Reachable {
    return reachable(this.spice, request, this.#options.publicUrls);
  }

  get health(): RelayHealth {
    return {
      hosting: this.#host !== undefined,
      host: this.#host?.name ?? "",
      clients: this.#host?.clients ?? 0,
      connections: this.#connections.size,
      pending: this.#pending.size,
      spice: this.spice,
    };
  }

  /** Opens the TCP listener. @throws ListenError */
  async listen(): Promise<SpiceAddress> {
    const { host = "127.0.0.1", spicePort = 5900 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) =>
        reject(new ListenError("SPICE", host, spicePort, error, "--spice-port")),
      );
      this.#server.listen(spicePort, host, resolve);
    });
    return this.spice[0];
  }

  /** Takes an HTTP upgrade if its path is the relay's: /host, /streams/<id>, /spice, /spice/… False: not ours. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = URL.parse(request.url ?? "/", "http://relay");
    const path = url?.pathname ?? "/";
    const stream = /^\/streams\/(\d{1,15})$/.exec(path);
    const isClient = path === "/spice" || path.startsWith("/spice/");
    if (path !== "/host" && stream === null && !isClient) return false;
    socket.on("error", () => socket.destroy());
    const { serverNames = [], publicUrls = [] } = this.#options;
    if (!isTrustedHost(request, serverNames)) {
      refuseUpgrade(socket, 403, "this server is not known by that name");
    } else if (isClient) {
      if (isSameOrigin(request, publicUrls) || mayBeClient(request, this.#options.allowedOrigins ?? []))
        this.#clients.handleUpgrade(request, socket, head, (ws) => this.#acceptWebSocket(ws, request));
      else refuseUpgrade(socket, 403, "pages of that origin may not be clients here");
    } else if (!isSameOrigin(request, publicUrls) || !isLoopbackAddress(request.socket.remoteAddress)) {
      refuseUpgrade(socket, 403, "only the page of this server, on this machine, may host");
    } else if (stream !== null) {
      this.#joinStream(Number(stream[1]), url?.searchParams.get("token") ?? "", request, socket, head);
    } else if (this.#links.size >= this.#limits.controlConnections) {
      refuseUpgrade(socket, 503, "too many control connections");
    } else {
      this.#control.handleUpgrade(request, socket, head, (ws) => this.#acceptHost(ws, request));
    }
    return true;
  }

  /** Ends everything in order; resolves when nothing is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const listening = this.#server.listening;
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const pending of this.#pending.values()) this.#refusePending(pending, "the relay is shutting down");
    for (const tunnel of this.#tunnels) tunnel.end(RelayClose.goingAway, "the relay is shutting down");
    for (const link of this.#links) link.close(RelayClose.goingAway, "the relay is shutting down");
    const cut = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, this.#limits.shutdownDeadlineMs);
    if (listening) await stopped;
    clearTimeout(cut);
    for (const server of [this.#control, this.#streams, this.#clients]) {
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
  }

  #acceptWebSocket(socket: WebSocket, request: IncomingMessage): void {
    const client = new WebSocketEnd(socket, this.#limits);
    const peer: RelayPeer = {
      transport: "websocket",
      address: clientAddress(request),
      secure: isSecure(request),
    };
    this.#accept(client, peer, (reason) => client.end(RelayClose.tryAgainLater, reason));
  }

  #accept(client: ByteEnd, peer: RelayPeer, refuse: (reason: string) => void): void {
    const refuseClient = (reason: string) => {
      this.#log(`refused ${peer.transport} client ${peer.address}: ${reason}`);
      refuse(reason);
    };
    if (this.#closing || this.#connections.size >= this.#limits.clientConnections) {
      // Not even a link reply: whoever floods the relay gets no more of its memory.
      this.#log(`dropped ${peer.transport} client ${peer.address}: too many connections`);
      client.destroy();
      return;
    }
    this.#connections.add(client);
    client.onClosed = () => this.#connections.delete(client);
    if (this.#host === undefined) {
      refuseClient("no tab is hosting; open the page first");
      return;
    }
    if (this.#pending.size >= this.#limits.pendingClients) {
      refuseClient("too many clients are waiting for the hosting tab");
      return;
    }
    const id = this.#nextId++;
    const token = randomBytes(16).toString("hex");
    const deadline = setTimeout(() => {
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      this.#host?.send({ type: "cancel", id });
      this.#refusePending(pending, "the hosting tab did not answer in time");
    }, this.#limits.joinDeadlineMs);
    this.#pending.set(id, { id, token, peer, client, deadline, refuse: refuseClient });
    client.onEarly = () => {
      if (client.endedBecause === undefined || !this.#takePending(id)) return;
      this.#host?.send({ type: "cancel", id });
      client.destroy();
    };
    this.#host.send({ type: "open", id, token, peer });
  }

  #joinStream(id: number, token: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || !equalTokens(token, pending.token)) {
      refuseUpgrade(socket, 404, "no client waits under that id and token");
      return;
    }
    this.#streams.handleUpgrade(request, socket, head, (ws) => {
      const { client, peer } = pending;
      this.#takePending(id);
      const tunnel = new Tunnel(client, new WebSocketEnd(ws, this.#limits), this.#limits.stallLimitMs);
      this.#tunnels.add(tunnel);
      this.#log(`${peer.transport} client ${peer.address} joined`);
      tunnel.onClosed = () => {
        this.#tunnels.delete(tunnel);
        this.#connections.delete(client);
      };
      if (client.closed) tunnel.destroy();
    });
  }

  #acceptHost(socket: WebSocket, request: IncomingMessage): void {
    const link = new HostLink(socket, this.#limits, {
      hello: (link) => {
        this.#takeOver(link);
        link.send({
          type: "welcome",
          ...this.reachable(request),
          version: this.#options.version ?? "0",
        });
      },
      message: (link, message) => this.#hostMessage(link, message),
      closed: (link) => this.#hostClosed(link),
    });
    this.#links.add(link);
  }

  /** The newest tab hosts. A newer connection of the same host keeps its clients; another host's are sent away. */
  #takeOver(link: HostLink): void {
    const older = this.#host;
    this.#host = link;
    this.#log(`${link.remoteName} is hosting`);
    if (older === undefined) return;
    this.#refuseAllPending("another tab took over");
    if (older.hostId === link.hostId) {
      older.close(RelayClose.replaced, "this host opened a newer control connection");
      return;
    }
    older.close(RelayClose.takenOver, "another tab hosts now");
    for (const tunnel of this.#tunnels) tunnel.end(RelayClose.normal, "another tab hosts now");
  }

  #hostMessage(link: HostLink, message: HostMessage): void {
    if (link !== this.#host || message.type !== "refused") return;
    const pending = this.#pending.get(message.id);
    if (pending !== undefined) this.#refusePending(pending, message.reason ?? "the hosting tab refused it");
  }

  #hostClosed(link: HostLink): void {
    this.#links.delete(link);
    if (this.#host !== link) return;
    this.#host = undefined;
    this.#log(`${link.remoteName} stopped hosting`);
    this.#refuseAllPending("the hosting tab was closed");
  }

  #refuseAllPending(reason: string): void {
    for (const pending of this.#pending.values()) this.#refusePending(pending, reason);
  }

  #refusePending(pending: PendingClient, reason: string): void {
    if (this.#takePending(pending.id)) pending.refuse(reason);
  }

  /** True when it was still waiting. */
  #takePending(id: number): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#pending.delete(id);
    clearTimeout(pending.deadline);
    pending.client.onEarly = undefined;
    return true;
  }
}

/** Makes a relay; it listens once `listen` was called. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new Relay(options);
}

function acceptor(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    // A client that offers subprotocols fails when none is chosen: spice-html5 offers "binary".
    handleProtocols: (offered) => (offered.has("binary") ? "binary" : false),
  });
}

function refuseUpgrade(socket: Duplex, status: 403 | 404 | 503, reason: string): void {
  const words = { 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable" }[status];
  socket.end(
    `HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  );
}

function equalTokens(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The relay: SPICE clients come in by TCP or WebSocket, the hosting tab dials out to it, and each client is joined to
 * the stream that the tab opens for it. It changes no byte, and looks only where messages begin and what little of a channel's state
 * another tab must know to go on with it, when the one that hosts is gone.
 */
import { CodedError } from "../errors/index.ts";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { acceptor } from "./acceptor.ts";
import { AccessPolicy } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import type { ByteEnd } from "./byte-end.ts";
import { Clients } from "./clients.ts";
import { RELAY_CONTROL_PROTOCOL, RelayClose } from "../relay-control/index.ts";
import type { RelayPeer, SpiceAddress } from "../relay-control/index.ts";
import { HostSeat } from "./host-seat.ts";
import type { HostLink } from "./host-link.ts";
import * as limit from "./limits.ts";
import type { RelayLimits } from "./limits.ts";
import { clientAddress, isSecure, peerAddress } from "./proxy.ts";
import { reachable } from "./reachable.ts";
import type { Reachable } from "./reachable.ts";
import { linkRefusal, refuseLink } from "./refusal.ts";
import { refuseUpgrade } from "./refused-upgrade.ts";
import { makeSecret } from "./secret.ts";
import { SparseLog } from "./sparse-log.ts";
import { TcpEnd } from "./tcp-end.ts";
import { WebSocketEnd } from "./websocket-end.ts";

/** How a relay is made. */
export interface RelayOptions extends AccessOptions {
  /** Address to listen on for SPICE over TCP. @default "127.0.0.1" */
  readonly host?: string;
  /** TCP port for SPICE; 0 takes a free one. @default 5900 */
  readonly spicePort?: number;
  /** What a tab must know to host, and a page to read the configuration. @default a new one, see `Relay.secret` */
  readonly secret?: string;
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
  /** Tabs that wait for the hosting one's place. */
  readonly waitingHosts: number;
  /** Why the machine stands still, as the hosting tab reported; absent while it runs. */
  readonly machine?: string;
  readonly connections: number;
  readonly pending: number;
  readonly spice: readonly SpiceAddress[];
}

/** The address is taken or not ours: says which, and what to do. */
export class ListenError extends CodedError {
  override readonly name = "ListenError";
  readonly code = "LISTEN";
  constructor(what: string, host: string, port: number, cause: NodeJS.ErrnoException, option: string) {
    const words =
      cause.code === "EADDRINUSE"
        ? `port ${port} on ${host} is in use; end the program that has it or choose another with ${option}`
        : `cannot listen on ${host}:${port}: ${cause.message}`;
    super(`${what}: ${words}`, { cause });
  }
}

export class Relay implements AsyncDisposable {
  /** Hosting and the configuration need it. Never printed or sent by the relay itself. */
  readonly secret: string;
  /** Host, Origin and headers, for whoever answers beside the relay as well. */
  readonly access: AccessPolicy;
  readonly #options: RelayOptions;
  readonly #limits: RelayLimits;
  readonly #log: SparseLog;
  readonly #server: Server;
  readonly #control = acceptor({ bytes: limit.MAX_CONTROL_MESSAGE_BYTES, frames: limit.MAX_MESSAGE_FRAMES });
  readonly #streams = acceptor({
    bytes: limit.MAX_STREAM_MESSAGE_BYTES,
    frames: limit.MAX_STREAM_MESSAGE_FRAMES,
  });
  readonly #webSockets = acceptor({
    bytes: limit.MAX_CLIENT_MESSAGE_BYTES,
    frames: limit.MAX_MESSAGE_FRAMES,
  });
  readonly #seat: HostSeat;
  readonly #clients: Clients;

  constructor(options: RelayOptions = {}) {
    this.#options = options;
    this.#limits = { ...limit.DEFAULT_RELAY_LIMITS, ...options.limits };
    this.#log = new SparseLog(options.log ?? (() => {}), this.#limits.logIntervalMs);
    this.access = new AccessPolicy(options);
    this.secret = options.secret ?? makeSecret();
    const hosting = () => this.#seat.host !== undefined;
    this.#clients = new Clients(this.#limits, this.#log, {
      send: (message) => this.#seat.host?.send(message) ?? false,
      get hosting() {
        return hosting();
      },
    });
    this.#seat = new HostSeat(this.secret, this.#limits, {
      seated: (link, isReturn) => this.#seated(link, isReturn),
      vacated: (link) => {
        this.#log.say("hosts", `${link.remoteName} stopped hosting`);
        this.#clients.hostLost("the hosting tab was closed");
      },
      message: (message) => this.#clients.hostSaid(message),
      secretRefused: (address) =>
        this.#log.say(
          "hosts refused",
          `refused a host at ${address}: it does not know the secret of this start`,
        ),
    });
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const address = peerAddress(socket.remoteAddress, socket.remotePort);
      const client = new TcpEnd(socket, this.#limits);
      this.#accept(client, { transport: "tcp", address, secure: false }, (_, error) =>
        refuseLink(client, this.#limits, error),
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
    const { host, waiting } = this.#seat;
    return {
      hosting: host !== undefined,
      host: host?.name ?? "",
      clients: host?.clients ?? 0,
      ...(host?.machine !== undefined && { machine: host.machine }),
      waitingHosts: waiting,
      connections: this.#clients.connections,
      pending: this.#clients.pending,
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
      this.#server.listen({ port: spicePort, host, backlog: limit.LISTEN_BACKLOG }, resolve);
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
    const refusal = this.access.refusal(request);
    if (refusal !== undefined) {
      this.#refuseUpgrade(request, socket, refusal.status, refusal.words);
    } else if (isClient) {
      if (this.access.mayBeClient(request))
        this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#acceptWebSocket(ws, request));
      else this.#refuseUpgrade(request, socket, 403, "pages of that origin may not be clients here");
    } else if (!this.access.isOwnPage(request)) {
      // The secret is what counts (hello, or a stream's token); this only keeps other pages from trying.
      this.#refuseUpgrade(request, socket, 403, "only the page of this server may host");
    } else if (stream !== null) {
      this.#joinStream(Number(stream[1]), url?.searchParams.get("token") ?? "", request, socket, head);
    } else {
      this.#control.handleUpgrade(request, socket, head, (ws) => {
        this.#seat.accept(ws, clientAddress(request), this.reachable(request));
      });
    }
    return true;
  }

  /** Ends everything in order; resolves when nothing is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const words = "the relay is shutting down";
    const listening = this.#server.listening;
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#clients.close(words);
    this.#seat.close(RelayClose.goingAway, words);
    const cut = setTimeout(() => this.#clients.destroy(), this.#limits.shutdownDeadlineMs);
    if (listening) await stopped;
    clearTimeout(cut);
    for (const server of [this.#control, this.#streams, this.#webSockets]) {
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
    this.#log[Symbol.dispose]();
  }

  #refuseUpgrade(request: IncomingMessage, socket: Duplex, status: 400 | 403 | 404, words: string): void {
    refuseUpgrade(socket, status, words, this.access.headers(request), this.#limits.closeDeadlineMs);
  }

  #acceptWebSocket(socket: WebSocket, request: IncomingMessage): void {
    const client = new WebSocketEnd(socket, this.#limits, "anybody");
    const raw = request.socket;
    const start = raw.bytesRead;
    const watch = () => {
      if (client.attached) raw.off("data", watch);
      else if (raw.bytesRead - start > this.#limits.earlyWebSocketBytes) client.destroy();
    };
    raw.on("data", watch);
    const peer: RelayPeer = {
      transport: "websocket",
      address: clientAddress(request),
      secure: isSecure(request),
    };
    this.#accept(client, peer, (reason, error) => {
      if (error !== undefined) client.write(linkRefusal(error));
      client.end(RelayClose.tryAgainLater, reason);
    });
  }

  #accept(client: ByteEnd, peer: RelayPeer, refuse: (reason: string, linkError?: number) => void): void {
    this.#clients.accept(client, peer, this.#seat.host !== undefined, refuse);
  }

  #joinStream(id: number, token: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!this.#clients.isAwaited(id, token)) {
      this.#refuseUpgrade(request, socket, 404, "no client waits under that id and token");
      return;
    }
    this.#streams.handleUpgrade(request, socket, head, (ws) => this.#clients.join(id, ws));
  }

  #seated(link: HostLink, isReturn: boolean): void {
    this.#log.say("hosts", `${link.remoteName} is hosting`);
    this.#clients.hostFound(isReturn);
    link.send({
      type: "welcome",
      protocol: RELAY_CONTROL_PROTOCOL,
      ...link.reachable,
      version: this.#options.version ?? "0",
    });
  }
}

/** Makes a relay; it listens once `listen` was called. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new Relay(options);
}

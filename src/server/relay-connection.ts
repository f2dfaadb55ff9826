import { closeReason } from "../formats/index.ts";
import type { JoinedSocket, StreamPeer, WebSocketLike } from "../transport/index.ts";
import { PausableWebSocket, joinWebSocket, webSocketStream } from "../transport/index.ts";
import type { RelayState } from "./host-control.ts";
import {
  RELAY_DIAL_DEADLINE_MS,
  RELAY_PING_INTERVAL_MS,
  RELAY_RETRY_FIRST_MS,
  RELAY_RETRY_MAX_MS,
} from "./limits.ts";
import type { HostMessage, LinkFailure, LinkResume, RelayMessage } from "../relay-control/index.ts";
import {
  ControlMessageError,
  RELAY_CONTROL_PROTOCOL,
  RelayClose,
  parseRelayMessage,
} from "../relay-control/index.ts";

/** Subprotocol of SPICE over WebSocket. */
const STREAM_PROTOCOL = "binary";

/** The part of WebSocket that is used, so that Node's `ws` fits as well. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocket;

export interface RelayConnectionOptions {
  /** Control endpoint, such as ws://127.0.0.1:8080/host. */
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** Stays the same while this core lives, so that the relay knows a reconnection from a rival. */
  readonly hostId: string;
  /** What the relay's terminal shows; without it nobody may host. */
  readonly secret: string;
  /** Why no client can be served now, or undefined. */
  readonly refusal: () => string | undefined;
  /**
   * A client's stream, ready to be linked, or, with `resume`, to go on where another server had come to; it is the receiver's from now on.
   */
  readonly onClient: (stream: JoinedSocket, peer: StreamPeer, resume?: LinkResume) => void;
  readonly onState: (state: RelayState) => void;
  readonly webSocket?: WebSocketConstructor;
  /** Tells `online` when there is a network again; by default the thread itself. */
  readonly network?: EventTarget;
  /** Milliseconds; see RELAY_PING_INTERVAL_MS and RELAY_DIAL_DEADLINE_MS. */
  readonly pingIntervalMs?: number;
  readonly dialDeadlineMs?: number;
}

/**
 * The tab's connection to the relay: one control WebSocket, kept up and owned, and one WebSocket per client connection that the relay
 * announces, handed on.
 */
export class RelayConnection implements Disposable {
  readonly #options: RelayConnectionOptions;
  readonly #webSocket: WebSocketConstructor;
  /** For the streams of clients: one that can stop reading, where there is one. */
  readonly #openSocket: (url: string) => WebSocketLike;
  /** Streams that are not connected yet; connected ones are the receiver's. */
  readonly #opening = new Set<WebSocketLike>();
  #control: WebSocket | undefined;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #dialTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why the last connection ended; undefined once another is welcome. */
  #reason: string | undefined;
  readonly #ended = new AbortController();
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #heard = true;
  #disposed = false;

  constructor(options: RelayConnectionOptions) {
    this.#options = options;
    this.#webSocket = options.webSocket ?? WebSocket;
    const pausable = options.webSocket === undefined ? webSocketStream() : undefined;
    this.#openSocket = (url) =>
      pausable
        ? new PausableWebSocket(url, STREAM_PROTOCOL, pausable)
        : (new this.#webSocket(url, STREAM_PROTOCOL) as unknown as WebSocketLike);
    const network = options.network ?? (globalThis as Partial<EventTarget>);
    network.addEventListener?.("online", () => this.#networkIsBack(), { signal: this.#ended.signal });
    this.#dial();
  }

  /** What was lost is found at once, and whether what seems to be there still is. */
  #networkIsBack(): void {
    if (this.#retryTimer !== undefined) {
      clearTimeout(this.#retryTimer);
      this.#attempt = 0;
      return this.#dial();
    }
    this.#heard = false;
    this.#say({ type: "ping" });
  }

  #dial(): void {
    this.#retryTimer = undefined;
    this.#attempt++;
    const reason = this.#reason;
    this.#options.onState({
      state: "connecting",
      attempt: this.#attempt,
      ...(reason !== undefined && { reason }),
    });
    const control = new this.#webSocket(this.#options.url);
    this.#control = control;
    const { pingIntervalMs, dialDeadlineMs } = this.#options;
    this.#dialTimer = setTimeout(
      () => this.#giveUp("the relay does not answer"),
      dialDeadlineMs ?? RELAY_DIAL_DEADLINE_MS,
    );
    control.addEventListener("open", () => {
      if (this.#control !== control) return;
      const { name, version, hostId, secret } = this.#options;
      this.#say({ type: "hello", protocol: RELAY_CONTROL_PROTOCOL, name, version, hostId, secret });
      this.#heard = true;
      this.#pingTimer = setInterval(() => this.#checkAlive(), pingIntervalMs ?? RELAY_PING_INTERVAL_MS);
    });
    control.addEventListener("message", (event: MessageEvent) => {
      if (this.#control === control) this.#hear(event.data);
    });
    control.addEventListener("close", (event: CloseEvent) => {
      if (this.#control === control) this.#lost(event.code, event.reason);
    });
    // Without a listener Node's sockets throw; the close event behind it tells the rest.
    control.addEventListener("error", () => {});
  }

  #say(message: HostMessage): void {
    if (this.#control?.readyState === 1) this.#control.send(JSON.stringify(message));
  }

  /** How many clients are connected, and why the machine stands still if it does, for the relay's own status. */
  status(clients: number, machine?: string): void {
    this.#say({ type: "status", clients, ...(machine !== undefined && { machine }) });
  }

  /** Takes the place of the tab that hosts instead of us. */
  takeOver(): void {
    this.#say({ type: "takeOver" });
  }

  /** A connection became a channel of that name. */
  linked(id: number, channel: string): void {
    this.#say({ type: "linked", id, channel });
  }

  /** A connection did not become a channel, and why. */
  linkFailed(failure: LinkFailure): void {
    this.#say({ type: "linkFailed", ...failure });
  }

  #hear(data: unknown): void {
    this.#heard = true;
    // A relay that took the connection and hangs has said nothing.
    clearTimeout(this.#dialTimer);
    let message: RelayMessage;
    try {
      message = parseRelayMessage(data);
    } catch (error) {
      if (!(error instanceof ControlMessageError)) throw error;
      this.#control?.close(RelayClose.badMessage, closeReason(error.message));
      return;
    }
    switch (message.type) {
      case "welcome":
        if (message.protocol !== RELAY_CONTROL_PROTOCOL) {
          const words = `the relay speaks version ${message.protocol} of the control protocol, this page ${RELAY_CONTROL_PROTOCOL}; reload it`;
          this.#control?.close(RelayClose.otherProtocol, closeReason(words));
          return this.#lost(RelayClose.otherProtocol, words);
        }
        this.#attempt = 0;
        this.#reason = undefined;
        this.#options.onState({ state: "online", spice: message.spice, webSocketUrl: message.webSocketUrl });
        break;
      case "occupied":
        this.#attempt = 0;
        this.#reason = undefined;
        this.#options.onState({ state: "waiting", host: message.host, lost: message.lost });
        break;
      case "open":
        this.#openStream(message);
        break;
      case "ping":
        this.#say({ type: "pong" });
        break;
      case "cancel":
      case "pong":
        break;
    }
  }

  #openStream({ id, token, peer, resume }: Extract<RelayMessage, { type: "open" }>): void {
    const reason = this.#options.refusal();
    if (reason !== undefined) {
      this.#say({ type: "refused", id, reason });
      return;
    }
    const url = new URL(`streams/${id}?token=${token}`, this.#options.url);
    const socket = this.#openSocket(url.href);
    this.#say({ type: "accepted", id });
    this.#opening.add(socket);
    socket.addEventListener("close", () => void this.#opening.delete(socket));
    socket.addEventListener("error", () => void this.#opening.delete(socket));
    // A browser takes its time to connect; the client's own time begins when it can be heard.
    socket.addEventListener("open", () => {
      if (this.#opening.delete(socket))
        this.#options.onClient(joinWebSocket(socket), { ...peer, id }, resume);
    });
  }

  #checkAlive(): void {
    if (!this.#heard) return this.#giveUp("the relay does not answer");
    this.#heard = false;
    this.#say({ type: "ping" });
  }

  #giveUp(words: string): void {
    this.#control?.close(RelayClose.silent, "nothing was heard from the relay");
    this.#lost(RelayClose.silent, words);
  }

  #lost(code: number, reason: string): void {
    clearInterval(this.#pingTimer);
    clearTimeout(this.#dialTimer);
    this.#control = undefined;
    if (this.#disposed) return;
    const words =
      reason || (code === 1006 ? "the relay cannot be reached" : `the relay closed the connection (${code})`);
    if (code === RelayClose.secretRefused) {
      this.#options.onState({ state: "refused", reason: words });
      return;
    }
    this.#reason = words;
    this.#options.onState({ state: "offline", reason: words });
    const pauseMs = Math.min(RELAY_RETRY_FIRST_MS * 2 ** Math.min(this.#attempt, 10), RELAY_RETRY_MAX_MS);
    this.#retryTimer = setTimeout(() => this.#dial(), pauseMs);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#ended.abort();
    clearTimeout(this.#dialTimer);
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
    for (const socket of this.#opening) socket.close(RelayClose.normal, "the tab stops hosting");
    this.#opening.clear();
    this.#control?.close(RelayClose.normal, "the tab stops hosting");
    this.#control = undefined;
    this.#options.onState({ state: "off" });
  }
}

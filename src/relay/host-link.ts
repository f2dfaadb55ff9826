import type { WebSocket } from "ws";
import { closeReason } from "../formats/index.ts";
import {
  ControlMessageError,
  parseHostMessage,
  RELAY_CONTROL_PROTOCOL,
  RelayClose,
} from "../relay-control/index.ts";
import type { HostMessage, RelayMessage } from "../relay-control/index.ts";
import { FrameTurns } from "./frame-turns.ts";
import type { RelayLimits } from "./limits.ts";
import type { Reachable } from "./reachable.ts";
import { isSameSecret } from "./secret.ts";

/** What the relay wants to know of a control connection. */
export interface HostLinkEvents {
  /** The first hello, with the right secret: from now on it is a host. */
  hello(link: HostLink): void;
  secretRefused(link: HostLink): void;
  takeOver(link: HostLink): void;
  message(link: HostLink, message: HostMessage): void;
  closed(link: HostLink): void;
}

/** The control connection of one tab: hello, pings, messages checked before anyone sees them. */
export class HostLink implements Disposable {
  /** From hello; empty before it. */
  hostId = "";
  name = "";
  /** How clients reach the relay, seen from this tab. */
  reachable: Reachable = { spice: [], webSocketUrl: "" };
  /** As the tab last reported. */
  clients = 0;
  /** Why the machine stands still, as the tab last reported; undefined: it runs. */
  machine: string | undefined;
  readonly #socket: WebSocket;
  readonly #secret: string;
  readonly #limits: RelayLimits;
  readonly #events: HostLinkEvents;
  readonly #helloDeadline: NodeJS.Timeout;
  #pings: NodeJS.Timeout | undefined;
  #heard = performance.now();

  constructor(socket: WebSocket, secret: string, limits: RelayLimits, events: HostLinkEvents) {
    this.#socket = socket;
    this.#secret = secret;
    this.#limits = limits;
    this.#events = events;
    this.#helloDeadline = setTimeout(
      () => this.close(RelayClose.silent, "no hello came"),
      limits.helloDeadlineMs,
    );
    void new FrameTurns(socket, limits, "anybody", (reason) => this.close(RelayClose.protocolError, reason));
    socket.on("message", (data, isBinary) => {
      // What comes behind the message that ended it counts no more.
      if (socket.readyState !== socket.OPEN) return;
      this.#heard = performance.now();
      if (isBinary) this.close(RelayClose.protocolError, "control messages are text");
      else this.#receive(data.toString());
    });
    // The reason is in the close event that follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this[Symbol.dispose]();
      events.closed(this);
    });
  }

  get remoteName(): string {
    return this.name === "" ? "a tab" : this.name;
  }

  /** False: it is on its way out. */
  send(message: RelayMessage): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, closeReason(reason));
    setTimeout(() => this.#socket.terminate(), this.#limits.closeDeadlineMs).unref();
  }

  /** Cuts it now. */
  destroy(): void {
    this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#helloDeadline);
    clearInterval(this.#pings);
  }

  #receive(text: string): void {
    let message: HostMessage;
    try {
      message = parseHostMessage(text);
    } catch (error) {
      if (!(error instanceof ControlMessageError)) throw error;
      this.close(RelayClose.protocolError, error.message);
      return;
    }
    if (message.type === "hello") this.#hello(message);
    else if (this.hostId === "") this.close(RelayClose.protocolError, "hello comes first");
    else if (message.type === "ping") this.send({ type: "pong" });
    else if (message.type === "takeOver") this.#events.takeOver(this);
    else if (message.type === "status") {
      this.clients = message.clients;
      this.machine = message.machine;
    } else if (message.type !== "pong") this.#events.message(this, message);
  }

  #hello({ protocol, hostId, name, secret }: Extract<HostMessage, { type: "hello" }>): void {
    if (this.hostId !== "") {
      this.close(RelayClose.protocolError, "hello comes once");
      return;
    }
    if (protocol !== RELAY_CONTROL_PROTOCOL) {
      const words = `this relay speaks version ${RELAY_CONTROL_PROTOCOL} of the control protocol, not ${protocol}`;
      this.close(RelayClose.otherProtocol, words);
      return;
    }
    if (!isSameSecret(secret, this.#secret)) {
      this.close(RelayClose.secretRefused, "the secret is not the one of this start");
      this.#events.secretRefused(this);
      return;
    }
    this.hostId = hostId;
    this.name = name;
    clearTimeout(this.#helloDeadline);
    this.#pings = setInterval(() => {
      if (performance.now() - this.#heard > this.#limits.silenceLimitMs) this.#socket.terminate();
      else this.send({ type: "ping" });
    }, this.#limits.pingIntervalMs);
    this.#events.hello(this);
  }
}

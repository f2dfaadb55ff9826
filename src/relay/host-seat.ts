import type { WebSocket } from "ws";
import { RelayClose } from "../relay-control/index.ts";
import type { HostMessage } from "../relay-control/index.ts";
import { HostLink } from "./host-link.ts";
import type { RelayLimits } from "./limits.ts";
import type { Reachable } from "./reachable.ts";

/** What the relay does at changes of the seat. */
export interface HostSeatEvents {
  /** `link` hosts from now on; `isReturn`: it is the same host as before, by a newer connection. */
  seated(link: HostLink, isReturn: boolean): void;
  /** Nobody hosts any more. */
  vacated(link: HostLink): void;
  /** The hosting tab said something about its clients. */
  message(message: HostMessage): void;
  /** A connection showed no good secret. */
  secretRefused(address: string): void;
}

/**
 * Who hosts. One control connection has the seat. Others that know the secret wait for it on their own connections, get it
 * in the order of their coming when it is free, or take it because their person wants so; whoever loses it that way waits too.
 */
export class HostSeat implements Disposable {
  readonly #secret: string;
  readonly #limits: RelayLimits;
  readonly #events: HostSeatEvents;
  /** In the order of their coming. */
  readonly #unproven = new Set<HostLink>();
  readonly #waiting = new Set<HostLink>();
  #host: HostLink | undefined;
  #returnTimer: NodeJS.Timeout | undefined;

  constructor(secret: string, limits: RelayLimits, events: HostSeatEvents) {
    this.#secret = secret;
    this.#limits = limits;
    this.#events = events;
  }

  get host(): HostLink | undefined {
    return this.#host;
  }

  /** Tabs that wait for the seat. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A new control connection; what it is remains to be said. */
  accept(socket: WebSocket, address: string, reachable: Reachable): void {
    const link = new HostLink(socket, this.#secret, this.#limits, {
      hello: (link) => this.#hello(link),
      secretRefused: () => this.#events.secretRefused(address),
      takeOver: (link) => this.#takeOver(link),
      message: (link, message) => {
        if (link === this.#host) this.#events.message(message);
      },
      closed: (link) => this.#closed(link),
    });
    link.reachable = reachable;
    this.#unproven.add(link);
    if (this.#unproven.size > this.#limits.unprovenControls) {
      const [oldest] = this.#unproven;
      this.#unproven.delete(oldest);
      oldest.destroy();
    }
  }

  /** Says why to all, and ends them. */
  close(code: number, reason: string): void {
    this[Symbol.dispose]();
    for (const link of this.#links()) link.close(code, reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#returnTimer);
    this.#waiting.clear();
  }

  *#links(): Iterable<HostLink> {
    yield* this.#unproven;
    yield* this.#waiting;
    if (this.#host !== undefined) yield this.#host;
  }

  #hello(link: HostLink): void {
    this.#unproven.delete(link);
    for (const waiting of this.#waiting) {
      if (waiting.hostId !== link.hostId) continue;
      this.#waiting.delete(waiting);
      waiting.close(RelayClose.replaced, "this host opened a newer control connection");
    }
    const host = this.#host;
    if (host === undefined) {
      this.#seat(link, false);
    } else if (host.hostId === link.hostId) {
      this.#seat(link, true);
      host.close(RelayClose.replaced, "this host opened a newer control connection");
    } else if (this.#waiting.size + 1 >= this.#limits.controlConnections) {
      link.close(RelayClose.tryAgainLater, "too many tabs wait for the place of the hosting one");
    } else {
      this.#wait(link, host, false);
    }
  }

  #takeOver(link: HostLink): void {
    if (!this.#waiting.delete(link)) return;
    const older = this.#host;
    this.#seat(link, false);
    if (older !== undefined) this.#wait(older, link, true);
  }

  #seat(link: HostLink, isReturn: boolean): void {
    clearTimeout(this.#returnTimer);
    this.#host = link;
    this.#events.seated(link, isReturn);
  }

  #wait(link: HostLink, host: HostLink, lost: boolean): void {
    this.#waiting.add(link);
    link.send({ type: "occupied", host: host.name, lost });
  }

  #closed(link: HostLink): void {
    this.#unproven.delete(link);
    this.#waiting.delete(link);
    if (this.#host !== link) return;
    this.#host = undefined;
    this.#events.vacated(link);
    const next = () => {
      const [first] = this.#waiting;
      if (first === undefined || this.#host !== undefined) return;
      this.#waiting.delete(first);
      this.#seat(first, false);
    };
    // A reload, or a lost connection, is soon back: then it is still its place.
    this.#returnTimer = setTimeout(next, this.#limits.hostReturnMs).unref();
  }
}

import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import { FollowedWire } from "../channel/followed-wire.ts";
import type { WireCheckpoint } from "../channel/followed-wire.ts";
import { Pace } from "../transport/pace.ts";
import type { ByteEnd } from "./byte-end.ts";
import { ChannelType } from "../protocol/enums.ts";
import { RelayClose } from "../relay-control/index.ts";
import type { HostMessage, RelayMessage, RelayPeer } from "../relay-control/index.ts";
import { farewell, linkResume } from "./handover.ts";
import type { RelayLimits } from "./limits.ts";
import { linkStart, TICKET_BYTES } from "./link-start.ts";
import { SPICE_LINK_ERR_INVALID_MAGIC } from "./refusal.ts";
import { isSameSecret } from "./secret.ts";
import type { SparseLog } from "./sparse-log.ts";
import { Tunnel } from "./tunnel.ts";
import { WebSocketEnd } from "./websocket-end.ts";

/** What clients need of the rest of the relay. */
export interface ClientsHost {
  /** Says something to the hosting tab; false: there is none. */
  send(message: RelayMessage): boolean;
  readonly hosting: boolean;
}

/** A client's connection, from its first byte to its last. */
interface Client {
  readonly id: number;
  readonly end: ByteEnd;
  readonly peer: RelayPeer;
  /** Says no in the words of its protocol, and closes. */
  readonly refuse: (reason: string, linkError?: number) => void;
  /** What the hosting tab must show to open its stream; empty until it is announced. */
  token: string;
  stage: "silent" | "waiting" | "announced" | "joined" | "kept" | "refused";
  /** Bytes of its whole link message. */
  linkBytes: number;
  /** The hosting tab said that it became a channel. */
  channel: string | undefined;
  deadline: NodeJS.Timeout | undefined;
  tunnel: Tunnel | undefined;
  readonly wire: FollowedWire;
  /** Where it goes on with the next hosting tab, once it has lost its own. */
  checkpoint: WireCheckpoint | undefined;
}

/**
 * The clients' connections. A place costs nothing to take, so it is held by what was said: when places are short, the
 * connection goes that has said least for longest, and never one that became a channel. The hosting tab hears of a
 * connection only once its whole link message is there. When that tab goes without a word, or another one takes its place, the channels
 * are kept, unread, and handed to the next one.
 */
export class Clients {
  readonly #limits: RelayLimits;
  readonly #log: SparseLog;
  readonly #host: ClientsHost;
  /** In the order of their coming. */
  readonly #clients = new Map<number, Client>();
  #announced = 0;
  readonly #pace: Pace;
  #nextTurn: NodeJS.Timeout | undefined;
  /** The next turn is the newest one's. */
  #newestNext = false;
  #nextId = 1;
  #closing = false;

  constructor(limits: RelayLimits, log: SparseLog, host: ClientsHost) {
    this.#limits = limits;
    this.#log = log;
    this.#host = host;
    this.#pace = new Pace(limits.linksAtOnce, limits.linkRestMs);
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** Clients whose link message waits for the hosting tab. */
  get pending(): number {
    return [...this.#clients.values()].filter(({ stage }) => stage === "waiting" || stage === "announced")
      .length;
  }

  /** A new connection. `hosted`: there is somebody to link it. */
  accept(end: ByteEnd, peer: RelayPeer, hosted: boolean, refuse: Client["refuse"]): void {
    if (this.#closing) return end.destroy();
    const client: Client = {
      id: this.#nextId++,
      end,
      peer,
      refuse,
      token: "",
      stage: "silent",
      linkBytes: 0,
      channel: undefined,
      deadline: undefined,
      tunnel: undefined,
      wire: new FollowedWire(),
      checkpoint: undefined,
    };
    this.#clients.set(client.id, client);
    end.onClosed = () => this.#closed(client);
    if (this.#clients.size > this.#limits.clientConnections) {
      // Not even a link reply: whoever floods the relay gets no more of its memory.
      const victim = this.#leastSaid(client) ?? client;
      this.#log.say(
        "connections dropped",
        `dropped ${name(victim)}: too many connections, and it said least`,
      );
      this.#drop(victim);
      if (victim === client) return;
    }
    if (!hosted) return this.#refuse(client, "no tab is hosting; open the page first");
    client.deadline = setTimeout(
      () => this.#refuse(client, "it did not say its link in time"),
      this.#limits.linkDeadlineMs,
    );
    end.onEarly = () => this.#look(client);
  }

  /** True when the client under that id and token waits for this very stream. */
  isAwaited(id: number, token: string): boolean {
    const client = this.#clients.get(id);
    return client?.stage === "announced" && isSameSecret(token, client.token);
  }

  /** The hosting tab opened the stream of an awaited client. */
  join(id: number, socket: WebSocket): void {
    const client = this.#clients.get(id);
    if (client?.stage !== "announced") {
      socket.close(RelayClose.tryAgainLater, "the client has left");
      return;
    }
    this.#settle(client);
    client.stage = "joined";
    const stream = new WebSocketEnd(socket, this.#limits, "host stream");
    // What the tab before had of the client's message under way.
    if (client.checkpoint && client.checkpoint.rest.length > 0) stream.write(client.checkpoint.rest);
    client.checkpoint = undefined;
    const tunnel = new Tunnel(client.end, stream, client.wire, this.#limits.stallLimitMs);
    client.tunnel = tunnel;
    tunnel.onClosed = () => this.#closed(client);
    tunnel.onStreamLost = (reason) => this.#keep(client, reason);
    if (client.end.closed) tunnel.destroy();
    this.#announce();
  }

  /** What the hosting tab says about its clients. */
  hostSaid(message: HostMessage): void {
    if (message.type === "refused") {
      const client = this.#clients.get(message.id);
      if (client?.stage === "announced") this.#refuse(client, message.reason ?? "the hosting tab refused it");
    } else if (message.type === "linked") {
      const client = this.#clients.get(message.id);
      if (client?.stage !== "joined" || client.channel !== undefined) return;
      client.channel = message.channel ?? "channel";
      if (client.channel === "main") this.#log.say("clients joined", `${name(client)} joined`);
    } else if (message.type === "linkFailed") {
      this.#log.say(`refused at ${hostOf(message.address)}`, linkFailure(message));
    }
  }

  /** Nobody hosts: whoever waits for the link hears so, and channels are kept for the next hosting tab. */
  hostLost(reason: string): void {
    this.#refuseLinking(reason);
    for (const client of this.#clients.values()) if (client.stage === "kept") this.#keepOn(client, reason);
  }

  /** A tab hosts from now on, `isReturn` the same one as before: it gets the channels that lost theirs. */
  hostFound(isReturn: boolean): void {
    const reason = "another tab hosts now";
    this.#refuseLinking(reason);
    for (const client of this.#clients.values()) {
      if (client.stage === "joined" && !isReturn) this.#keep(client, reason);
      if (client.stage !== "kept") continue;
      clearTimeout(client.deadline);
      client.end.onEarly = undefined;
      client.stage = "waiting";
    }
    // Not before the tab was welcomed.
    queueMicrotask(() => this.#announce());
  }

  #refuseLinking(reason: string): void {
    for (const client of this.#clients.values()) {
      if (client.stage !== "waiting" && client.stage !== "announced") continue;
      if (client.checkpoint === undefined) this.#refuse(client, reason);
      else {
        this.#settle(client);
        client.stage = "kept";
        this.#keepOn(client, reason);
      }
    }
  }

  /** Its stream is gone. */
  #keep(client: Client, reason: string): void {
    const checkpoint = client.tunnel?.release();
    client.tunnel = undefined;
    client.end.onClosed = () => this.#closed(client);
    if (client.end.closed) return this.#closed(client);
    client.checkpoint = checkpoint;
    client.stage = checkpoint === undefined ? "refused" : "kept";
    if (checkpoint === undefined) this.#end(client, reason);
    else this.#keepOn(client, reason);
  }

  #keepOn(client: Client, reason: string): void {
    const { keptClientMs, hostLossMs } = this.#limits;
    client.end.onEarly = () => {
      if (client.end.endedBecause !== undefined) this.#drop(client);
    };
    clearTimeout(client.deadline);
    client.deadline = setTimeout(
      () => this.#refuse(client, reason),
      this.#host.hosting ? hostLossMs : keptClientMs,
    );
  }

  close(reason: string): void {
    this.#closing = true;
    clearTimeout(this.#nextTurn);
    for (const client of this.#clients.values()) {
      if (client.tunnel !== undefined) client.tunnel.end(RelayClose.goingAway, reason);
      else this.#refuse(client, reason);
    }
  }

  destroy(): void {
    for (const client of this.#clients.values()) this.#drop(client);
  }

  #look(client: Client): void {
    if (client.end.endedBecause !== undefined) return this.#drop(client);
    if (client.stage !== "silent") return;
    const start = linkStart(client.end.early);
    if (start === "more") return;
    if (start === "other")
      return this.#refuse(client, "it does not speak SPICE", SPICE_LINK_ERR_INVALID_MAGIC);
    this.#settle(client);
    client.linkBytes = start;
    client.stage = "waiting";
    this.#announce();
  }

  /** Tells the hosting tab of those who wait: as many as it may have before it, and no faster than it may hear of them. */
  #announce(): void {
    while (this.#announced < this.#limits.pendingClients) {
      const client = this.#nextWaiting();
      if (client === undefined) return;
      const dueInMs = this.#pace.dueInMs;
      if (dueInMs > 0) return this.#announceIn(dueInMs);
      const { id, peer } = client;
      client.token = randomBytes(16).toString("hex");
      const resume = client.checkpoint && linkResume(client.checkpoint);
      if (!this.#host.send({ type: "open", id, token: client.token, peer, ...(resume && { resume }) }))
        return;
      this.#pace.take();
      this.#newestNext = !this.#newestNext;
      client.stage = "announced";
      this.#announced++;
      client.deadline = setTimeout(() => {
        this.#refuse(client, "the hosting tab did not answer in time");
      }, this.#limits.joinDeadlineMs);
    }
  }

  #announceIn(milliseconds: number): void {
    this.#nextTurn ??= setTimeout(() => {
      this.#nextTurn = undefined;
      this.#announce();
    }, milliseconds).unref();
  }

  /**
   * The oldest one that waits, and the next time the newest: a crowd that came at once keeps nobody who comes behind it waiting, and a
   * flood of newcomers nobody who was there before.
   */
  #nextWaiting(): Client | undefined {
    const waits = ({ stage }: Client) => stage === "waiting";
    const clients = [...this.#clients.values()];
    // A session that goes on comes before those that begin, and its main channel before the others.
    const kept = clients.filter((client) => waits(client) && client.checkpoint !== undefined);
    if (kept.length > 0)
      return kept.find(({ checkpoint }) => checkpoint?.link.channelType === ChannelType.Main) ?? kept[0];
    return this.#newestNext ? clients.findLast(waits) : clients.find(waits);
  }

  /** What it waited for has come, or will not. */
  #settle(client: Client): void {
    clearTimeout(client.deadline);
    if (client.stage === "announced") this.#announced--;
  }

  #refuse(client: Client, reason: string, linkError?: number): void {
    if (client.stage === "refused" || client.stage === "joined") return;
    this.#cancel(client);
    this.#settle(client);
    client.stage = "refused";
    client.end.onEarly = undefined;
    if (client.wire.linked) this.#end(client, reason);
    else {
      this.#log.say(`clients refused: ${reason}`, `refused ${name(client)}: ${reason}`);
      client.refuse(reason, linkError);
    }
    this.#announce();
  }

  /** A channel that nobody goes on with. */
  #end(client: Client, reason: string): void {
    const words = client.checkpoint && farewell(client.checkpoint, `The connection ended: ${reason}.`);
    if (words) client.end.write(words);
    client.end.end(RelayClose.tryAgainLater, reason);
    if (client.channel === "main") this.#log.say("clients left", `${name(client)} was cut: ${reason}`);
  }

  #drop(client: Client): void {
    client.tunnel?.destroy();
    client.end.destroy();
    this.#closed(client);
  }

  #closed(client: Client): void {
    if (!this.#clients.delete(client.id)) return;
    this.#cancel(client);
    this.#settle(client);
    client.end.onEarly = undefined;
    if (client.channel === "main") this.#log.say("clients left", `${name(client)} left`);
    this.#announce();
  }

  #cancel(client: Client): void {
    if (client.stage === "announced") this.#host.send({ type: "cancel", id: client.id });
  }

  /** Besides `newcomer`; undefined when all others are channels. */
  #leastSaid(newcomer: Client): Client | undefined {
    let least: Client | undefined;
    for (const client of this.#clients.values()) {
      if (client === newcomer || client.channel !== undefined) continue;
      if (least === undefined || said(client) < said(least)) least = client;
    }
    return least;
  }
}

/** How much of what a link needs it has said. */
function said({ stage, end, linkBytes }: Client): number {
  switch (stage) {
    case "refused":
      return 0;
    case "kept":
      return 4;
    case "silent":
      return 1;
    case "waiting":
    case "announced":
      return 2;
    case "joined":
      return end.receivedBytes < linkBytes + TICKET_BYTES ? 3 : 4;
  }
}

function name({ peer }: Client): string {
  return `${peer.transport} client ${peer.address}`;
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

const FAILURE_WORDS: Readonly<Record<string, string>> = {
  PASSWORD_WRONG: "wrong password",
  PASSWORD_EXPIRED: "the password's time is over",
};

function linkFailure({ address, reason, failures, delayMs }: Extract<HostMessage, { type: "linkFailed" }>) {
  const words = FAILURE_WORDS[reason] ?? reason;
  const more = [
    ...(failures === undefined || failures < 2 ? [] : [`${failures} in a row`]),
    ...(delayMs === undefined || delayMs === 0 ? [] : [`answered after ${(delayMs / 1000).toFixed(1)} s`]),
  ];
  return `client ${address} not let in: ${words}${more.length > 0 ? ` (${more.join(", ")})` : ""}`;
}

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
import { WaitingLine } from "./waiting-line.ts";
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
  /** Where it comes from, without a port. */
  readonly address: string;
  /** Of its coming, then of its stream: performance.now(). */
  sinceMs: number;
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
 * connection goes that has said least for longest, and never one that became a channel. Who has said its link waits at a place of its
 * own kind, of which there are many, until the hosting tab hears of it; a place with the tab is had by who says its ticket. When that tab goes without a word, or another one takes its place, the channels
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
  readonly #waiting = new WaitingLine<Client>();
  /** Tokens of clients that left while the hosting tab opens their stream. */
  readonly #left = new Map<number, string>();
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
      address: hostOf(peer.address),
      sinceMs: performance.now(),
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
    if (this.#before > this.#limits.waitingConnections) {
      // Not even a link reply: whoever floods the relay gets no more of its memory.
      const victim = this.#leastSaidBefore(client);
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
    if (client?.stage === "announced") return isSameSecret(token, client.token);
    // Its stream is opened, and closed: a browser holds back those that come behind one that failed.
    const left = this.#left.get(id);
    return left !== undefined && isSameSecret(token, left);
  }

  /** The hosting tab opened the stream of an awaited client. */
  join(id: number, socket: WebSocket): void {
    const client = this.#clients.get(id);
    if (client?.stage !== "announced") {
      this.#left.delete(id);
      socket.close(RelayClose.tryAgainLater, "the client has left");
      return;
    }
    this.#settle(client);
    client.stage = "joined";
    client.sinceMs = performance.now();
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
      this.#wait(client);
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
    this.#wait(client);
    this.#announce();
  }

  #wait(client: Client): void {
    client.stage = "waiting";
    if (client.checkpoint === undefined) this.#waiting.add(client);
  }

  /** Tells the hosting tab of those who wait: as many as it may have before it, and no faster than it may hear of them. */
  #announce(): void {
    while (this.#announced < this.#limits.pendingClients) {
      const kept = this.#nextKept();
      if (kept === undefined && this.#waiting.size === 0) return;
      const dueInMs = this.#pace.dueInMs;
      if (dueInMs > 0) return this.#announceIn(dueInMs);
      if (!this.#host.hosting) return;
      const isFull =
        this.#withHost >= this.#limits.clientConnections ||
        this.#linking.length >= this.#limits.linkingClients;
      if (kept === undefined && isFull) {
        if (this.#makeRoom()) continue;
        return;
      }
      const client = kept ?? this.#waiting.take();
      if (client === undefined) return;
      const { id, peer } = client;
      client.token = randomBytes(16).toString("hex");
      const resume = client.checkpoint && linkResume(client.checkpoint);
      if (!this.#host.send({ type: "open", id, token: client.token, peer, ...(resume && { resume }) }))
        return this.#wait(client);
      this.#pace.take();
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

  /** A session that goes on comes before those that begin, and its main channel before the others. */
  #nextKept(): Client | undefined {
    const kept = [...this.#clients.values()].filter(
      ({ stage, checkpoint }) => stage === "waiting" && checkpoint !== undefined,
    );
    return kept.find(({ checkpoint }) => checkpoint?.link.channelType === ChannelType.Main) ?? kept[0];
  }

  /** What it waited for has come, or will not. */
  #settle(client: Client): void {
    clearTimeout(client.deadline);
    this.#waiting.delete(client);
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
    if (client.stage !== "announced") return;
    this.#host.send({ type: "cancel", id: client.id });
    this.#left.set(client.id, client.token);
    const [oldest] = this.#left.keys();
    if (this.#left.size > this.#limits.clientConnections) this.#left.delete(oldest);
  }

  /** Connections that the hosting tab has not heard of. */
  get #before(): number {
    return this.#clients.size - this.#withHost;
  }

  /** Those that have a place with it. */
  get #withHost(): number {
    let count = 0;
    for (const { stage } of this.#clients.values())
      if (stage === "announced" || stage === "joined" || stage === "kept") count++;
    return count;
  }

  /** Those that have one and are no channel yet. */
  get #linking(): Client[] {
    return [...this.#clients.values()].filter(
      ({ stage, channel }) => stage === "joined" && channel === undefined,
    );
  }

  /**
   * Of those that the hosting tab has not heard of: who is only to hear a refusal, then who has had time and said nothing whole. Of those who
   * have said their link nobody goes for a crowd of such newcomers.
   */
  #leastSaidBefore(newcomer: Client): Client {
    const others = [...this.#clients.values()].filter((client) => client !== newcomer);
    const refused = others.find(({ stage }) => stage === "refused");
    if (refused !== undefined) return refused;
    const silent = others.filter(({ stage }) => stage === "silent");
    const latestMs = performance.now() - this.#limits.linkGraceMs;
    if (silent.length > 0 && (silent[0].sinceMs <= latestMs || silent.length > this.#waiting.size))
      return silent[0];
    return this.#waiting.victim() ?? silent[0] ?? newcomer;
  }

  /** Cuts who has a place with the hosting tab and has said least for longest. False: nobody has had the time for it yet. */
  #makeRoom(): boolean {
    const [victim] = this.#linking.toSorted((a, b) => Number(hasSaidAll(a)) - Number(hasSaidAll(b)));
    if (victim === undefined) {
      const newest = this.#announced === 0 ? this.#waiting.take() : undefined;
      if (newest !== undefined) this.#refuse(newest, "all places are taken");
      return false;
    }
    const dueInMs = victim.sinceMs + this.#limits.linkGraceMs - performance.now();
    if (dueInMs > 0) {
      this.#announceIn(Math.ceil(dueInMs));
      return false;
    }
    this.#log.say("connections dropped", `dropped ${name(victim)}: its place was needed, and it said least`);
    this.#drop(victim);
    return true;
  }
}

/** Link and ticket. */
function hasSaidAll({ end, linkBytes }: Client): boolean {
  return end.receivedBytes >= linkBytes + TICKET_BYTES;
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

import { errorText } from "../errors/index.ts";
import type { MainMessages, Payload } from "../dispatch/index.ts";
import { ChannelTracker } from "../channel/index.ts";
import type { Log } from "../log/index.ts";
import { ChannelType, LinkError, MouseMode, NotifySeverity } from "../protocol/index.ts";
import type { LinkResume } from "../relay-control/index.ts";
import type { StreamPeer, StreamPort, Turns, Wire } from "../transport/index.ts";
import { Pace } from "../transport/index.ts";
import type { AgentDevice } from "./agent-device.ts";
import { AwaitedSessions } from "./awaited-sessions.ts";
import type { AuthenticatedLink } from "./link.ts";
import { acceptLink, refuseLink } from "./link.ts";
import { DISCONNECT_GRACE_MS, MAX_CLIENTS, NET_TESTS_AT_ONCE, NET_TEST_REST_MS } from "./limits.ts";
import type { MainDispatcher } from "./main-dispatcher.ts";
import type { MainInit } from "./main-channel-client.ts";
import { MainChannelClient } from "./main-channel-client.ts";
import type { MouseModes } from "./mouse-mode.ts";
import type { RedChannels } from "./red-channel.ts";
import { RedClient, localChannelClient } from "./red-client.ts";
import { RedClients } from "./red-clients.ts";
import type { ServerConfig } from "./reds-config.ts";
import type { ResumedLink } from "./resumed-link.ts";
import { NotResumed, resumedLink } from "./resumed-link.ts";

/** What the sessions need of the server around them. */
export interface SessionsServer {
  readonly log: Log;
  readonly channels: RedChannels;
  readonly agent: AgentDevice;
  readonly mouse: MouseModes;
  readonly dispatcher: MainDispatcher;
  readonly turns: Turns;
  readonly config: ServerConfig;
  /** Display channels there are. */
  displays(): number;
  /** Why the machine stands still, if it does. */
  standing(): string | undefined;
  /** A connection became a channel. */
  linked(peer: StreamPeer, channel: string): void;
  /** Who is connected, and with what, has changed. */
  changed(): void;
}

/** Times in milliseconds that tests shorten. */
export interface SessionTimes {
  readonly connectivityIntervalMs?: number;
  readonly pingIntervalMs?: number;
}

/** How links become sessions and channels (reds_handle_main_link, reds_handle_other_links), and how sessions end. Owns the clients. */
export class Sessions {
  readonly clients = new RedClients();
  readonly #server: SessionsServer;
  readonly #times: SessionTimes;
  readonly #uuid = crypto.getRandomValues(new Uint8Array(16));
  readonly #resumed = new AwaitedSessions();
  readonly #netTests = new Pace(NET_TESTS_AT_ONCE, NET_TEST_REST_MS);
  #closed = false;

  constructor(server: SessionsServer, times: SessionTimes) {
    this.#server = server;
    this.#times = times;
  }

  /** A link whose ticket was good becomes a channel. @throws LinkRefused; the client has heard why */
  async admit(link: AuthenticatedLink, peer: StreamPeer): Promise<void> {
    if (link.channelType === ChannelType.Main) await this.#mainLink(link, peer);
    else this.#otherLink(link, peer);
  }

  async #mainLink(link: AuthenticatedLink, peer: StreamPeer): Promise<void> {
    // Upstream takes any non-zero id here for a migration target; without a migration there is nothing to take over.
    if (link.connectionId !== 0) {
      const detail = `a main link names session ${link.connectionId}; no migration is under way`;
      throw refuseLink(link, LinkError.BadConnectionId, detail);
    }
    if (link.channelId !== 0)
      throw refuseLink(link, LinkError.ChannelNotAvailable, "there is one main channel, number 0");
    // Of several newcomers that waited for the same end, the first one finds that there is room, and the next looks again.
    for (let ends = this.#endsFirst(); ends.length > 0; ends = this.#endsFirst()) await Promise.all(ends);
    if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
    if (this.clients.size >= MAX_CLIENTS)
      throw refuseLink(link, LinkError.Error, `${MAX_CLIENTS} clients are connected already`);
    acceptLink(link);
    const client = this.#addClient(link, this.clients.newConnectionId(), peer);
    client.main.start({
      sessionId: client.connectionId,
      name: this.#server.config.name,
      uuid: this.#uuid,
      ...this.#mainState(),
    });
    this.#opened(client);
  }

  /** Whose end a newcomer has to wait for, whatever has begun it. */
  #endsFirst(): readonly Promise<void>[] {
    if (this.#closed) return [];
    const { config, dispatcher } = this.#server;
    const present = this.clients.all();
    if (!config.allowMultipleClients) {
      // The newest wins: the others have left the server before it hears INIT.
      for (const { main } of present) main.sayDisconnecting(LinkError.Ok);
      const others = [...present, ...this.clients.disconnecting];
      return others.map((client) => dispatcher.clientDisconnect(client, "another client connected"));
    }
    if (present.length < MAX_CLIENTS) return [];
    // The session goes that has done nothing since its link, the oldest of several.
    const silent = present.find(({ main, channels }) => main.receivedBytes === 0 && channels.length === 1);
    const reason = "it has said nothing, and another client wants its place";
    return silent ? [dispatcher.clientDisconnect(silent, reason)] : [];
  }

  #mainState(): Omit<MainInit, "sessionId" | "name" | "uuid"> {
    const { agent, mouse } = this.#server;
    return {
      supportedMouseModes: mouse.supported,
      currentMouseMode: mouse.current,
      agentConnected: agent.open,
      displays: this.#server.displays(),
      multiMediaTime: Math.floor(performance.now()) >>> 0,
    };
  }

  #opened({ main, peer }: RedClient): void {
    main.open();
    const standing = this.#server.standing();
    if (standing !== undefined) main.notify(standing);
    this.#server.linked(peer, "main");
    this.#server.changed();
  }

  /** A session, with its main channel. */
  #addClient(link: AuthenticatedLink, connectionId: number, peer: StreamPeer): RedClient {
    if (link.wire) link.wire.watcher = undefined;
    const { agent, channels, dispatcher, mouse, turns } = this.#server;
    const main = new MainChannelClient(
      { ...link, ...this.#times, turns },
      {
        channels: () => channels.list(),
        mayTestLine: () => this.#netTests.take(),
        mouseModeRequested: (mode) => mouse.request(mode),
        agentStart: (client, tokens) => agent.start(client, tokens),
        agentData: (client, data) => agent.receive(client, data),
        agentTokens: (client, tokens) => agent.addTokens(client, tokens),
        agentResume: (client) => agent.resume(client),
        agentShare: (client) => agent.share(client),
      },
    );
    const client = new RedClient(this.clients.newId(), connectionId, peer, main);
    this.clients.add(client);
    const channel = localChannelClient({ type: ChannelType.Main, id: 0, name: "main" }, main);
    client.addChannel(channel);
    main.onDisconnect = (reason) => {
      agent.remove(main);
      client.removeChannel(channel);
      if (!client.disconnecting) void dispatcher.clientDisconnect(client, reason);
    };
    return client;
  }

  #otherLink(link: AuthenticatedLink, peer: StreamPeer): void {
    const { channelType: type, channelId: id } = link;
    const client = this.clients.ofSession(link.connectionId);
    if (!client)
      throw refuseLink(link, LinkError.BadConnectionId, `there is no session ${link.connectionId}`);
    const channel = this.#server.channels.find(type, id);
    if (channel === undefined)
      throw refuseLink(link, LinkError.ChannelNotAvailable, `there is no channel ${type}:${id}`);
    if (client.channel(type, id))
      throw refuseLink(link, LinkError.Error, `this session has channel ${type}:${id} already`);
    acceptLink(link);
    channel.connect(client, link);
    this.#server.linked(peer, channel.name);
    this.#server.changed();
  }

  // --- links that another server had -----------------------------------------------------------------------------------

  /** As {@link Reds.resume}. */
  async resume(port: StreamPort, peer: StreamPeer, kept: LinkResume, wire?: Wire): Promise<void> {
    if (wire) wire.watcher = new ChannelTracker();
    const link = resumedLink(port, wire, kept);
    try {
      if (this.#closed) throw new NotResumed("the server is closing");
      if (link.channelType === ChannelType.Main) await this.#resumeMain(link, peer);
      else await this.#resumeOther(link, peer);
    } catch (error) {
      const words = errorText(error);
      this.#server.log.log("warning", "links", `the connection of ${peer.address} does not go on: ${words}`);
      link.stream.close(words);
    }
  }

  async #resumeMain(link: ResumedLink, peer: StreamPeer): Promise<void> {
    // The same server may have it still, when nothing but its network was away.
    const before = this.clients.ofSession(link.connectionId);
    if (before)
      await this.#server.dispatcher.clientDisconnect(before, "its session goes on with another connection");
    if (this.#closed || this.clients.size >= MAX_CLIENTS)
      throw new NotResumed("there is no room for the session");
    const client = this.#addClient(link, link.connectionId, peer);
    client.main.goOn(this.#mainState());
    this.#opened(client);
    this.#resumed.come(client);
  }

  async #resumeOther(link: ResumedLink, peer: StreamPeer): Promise<void> {
    const { channelType: type, channelId: id } = link;
    const client = this.clients.ofSession(link.connectionId) ?? (await this.#resumed.of(link.connectionId));
    const channel = this.#server.channels.find(type, id);
    if (channel === undefined) throw new NotResumed(`there is no channel ${type}:${id}`);
    const before = client.channel(type, id);
    if (before) {
      client.removeChannel(before);
      await before.disconnect("it goes on with another connection");
    }
    if (client.disconnecting) throw new NotResumed("the session has ended");
    channel.connect(client, link);
    this.#server.linked(peer, channel.name);
    this.#server.changed();
  }

  // --- ends ------------------------------------------------------------------------------------------------------------

  /** CLIENT_DISCONNECT, in its turn: resolves when nothing of the client is left. */
  async disconnect(client: RedClient, reason: string): Promise<void> {
    if (client.disconnecting) return client.destroy(reason);
    const { agent, log, mouse } = this.#server;
    log.log("info", "reds", `client ${client.id} (${client.peer.address}) left: ${reason}`);
    agent.remove(client.main);
    const gone = this.clients.destroy(client, reason);
    if (this.clients.size === 0) mouse.request(MouseMode.Server);
    this.#server.changed();
    await gone;
  }

  /** A channel client of a red worker is gone, or has been of a client that is. */
  channelEnded(message: Payload<MainMessages, "channelClientDisconnected">): void {
    const client = this.clients.get(message.clientId);
    const channel = client?.channel(message.channelType, message.channelId);
    if (!client || !channel) return;
    client.removeChannel(channel);
    const words = `${channel.name} channel of client ${client.id} ended: ${message.reason}`;
    this.#server.log.log("info", "reds", words);
    this.#server.changed();
  }

  /** As {@link Reds.migrateClient}. */
  migrate(clientId: number): void {
    const client = this.clients.get(clientId);
    if (client === undefined) return;
    this.#server.log.log("info", "reds", `client ${client.id} (${client.peer.address}) migrates`);
    client.migrate();
  }

  /** As {@link Reds.kick}. */
  async kick(clientId: number, reason: string): Promise<void> {
    const client = this.clients.find(clientId);
    if (!client) return;
    if (!client.disconnecting) {
      client.main.notify(reason, NotifySeverity.Error);
      client.main.sayDisconnecting(LinkError.Ok);
      // The words must leave before the stream ends.
      await new Promise((resolve) => setTimeout(resolve, DISCONNECT_GRACE_MS));
    }
    await this.#server.dispatcher.clientDisconnect(client, reason);
  }

  /** Tells every client why, then disconnects them all. Resolves when nothing of them is left. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    this.#resumed.close(reason);
    const all = [...this.clients.all(), ...this.clients.disconnecting];
    await Promise.all(all.map(({ id }) => this.kick(id, reason)));
  }
}

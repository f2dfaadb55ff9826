import { errorText } from "../errors/index.ts";
import type {
  ClientHead,
  Dispatcher,
  GuestMessages,
  MainMessages,
  Payload,
  RedWorkerMessages,
  SurfacePixels,
} from "../dispatch/index.ts";
import type { Log } from "../log/index.ts";
import { NO_LOG } from "../log/index.ts";
import { ChannelTracker } from "../channel/index.ts";
import { ChannelType, LinkError, MouseMode, NotifySeverity, encodeLinkError } from "../protocol/index.ts";
import type { LinkResume } from "../relay-control/index.ts";
import type { RedStream, StreamPeer, Turns, Wire } from "../transport/index.ts";
import { CLIENT_OVERSHOOT, Pace, openRedStream, threadTurns } from "../transport/index.ts";
import { AgentDevice } from "./agent-device.ts";
import { GuestHand } from "./guest-hand.ts";
import type { CoreInspection, HostClient, InputDropped, LinkFailed } from "./host-control.ts";
import { InputsChannel } from "./inputs-channel.ts";
import type { InputsChannelOwner } from "./inputs-channel.ts";
import { LinkPlaces } from "./link-places.ts";
import type { AuthenticatedLink, LinkAttempt } from "./link.ts";
import { LinkRefused, acceptLink, authenticateLink, refuseLink } from "./link.ts";
import {
  DISCONNECT_GRACE_MS,
  DROPPED_NOTICE_MS,
  MAX_CLIENTS,
  MAX_LINKS,
  NET_TESTS_AT_ONCE,
  NET_TEST_REST_MS,
} from "./limits.ts";
import { MainChannelClient } from "./main-channel-client.ts";
import { MouseModes } from "./mouse-mode.ts";
import { PasswordGate } from "./password-gate.ts";
import { QxlChannel } from "./qxl-channel.ts";
import { RedChannels } from "./red-channel.ts";
import { RedClient, localChannelClient } from "./red-client.ts";
import { AwaitedSessions } from "./awaited-sessions.ts";
import type { ResumedLink } from "./resumed-link.ts";
import { NotResumed, resumedLink } from "./resumed-link.ts";
import { ThreadDoor } from "./thread-door.ts";
import { TicketKeyPool, Ticketing } from "./ticket.ts";

/** The threads that Reds serves for; both belong to whoever made it. */
export interface RedsMachine {
  readonly guest: Dispatcher<GuestMessages>;
  /** The red worker of the first QXL device; those of others come when the guest drives them. */
  readonly qxl: Dispatcher<RedWorkerMessages>;
}

/** A QXL device: its red worker, which may not be there, and its channels. */
interface QxlInstance {
  readonly door: ThreadDoor<RedWorkerMessages>;
  readonly channels: readonly QxlChannel[];
}

export interface RedsOptions {
  readonly name: string;
  /** QXL devices of the machine, each with a display and a cursor channel. @default 1 */
  readonly displays?: number;
  /** Empty or absent: every ticket is good. At most 60 bytes of UTF-8. */
  readonly password?: string;
  /** Milliseconds since 1970 from which on the password lets nobody in; sessions stay. @default never */
  readonly passwordValidUntil?: number;
  /** False: a new session ends the earlier ones, as in spice-server. @default true */
  readonly allowMultipleClients?: boolean;
  /** Whether clipboards go through the agent. @default true */
  readonly agentCopyPaste?: boolean;
  /** Whether files go through the agent. @default true */
  readonly agentFileXfer?: boolean;
  /** Milliseconds for a link; see LINK_DEADLINE_MS. */
  readonly linkDeadlineMs?: number;
  /** Milliseconds between looks at whether a client is alive; see CONNECTIVITY_INTERVAL_MS. */
  readonly connectivityIntervalMs?: number;
  /** Milliseconds in which dropped presses are summed up; see DROPPED_NOTICE_MS. */
  readonly droppedNoticeMs?: number;
  /** Milliseconds between latency pings, 0 for none; see PING_INTERVAL_MS of the channels. */
  readonly pingIntervalMs?: number;
  /** Who has which turn on this thread; by default all share one order. */
  readonly turns?: Turns;
}

/** What may change while the server runs. */
export type RedsConfig = Pick<
  RedsOptions,
  | "name"
  | "displays"
  | "password"
  | "passwordValidUntil"
  | "allowMultipleClients"
  | "agentCopyPaste"
  | "agentFileXfer"
>;

/**
 * The server (RedsState): links, sessions, and the channels. Owns the clients; the dispatchers to the guest and to the red worker are
 * its machine's, which may be gone for a while and come back: sessions stay.
 */
export class Reds implements AsyncDisposable {
  /** The guest's keyboard and pointer. */
  readonly hand: GuestHand;
  readonly #guest = new ThreadDoor<GuestMessages>("guest");
  readonly #channels = new RedChannels();
  /** By the number of the device. */
  readonly #qxl: QxlInstance[] = [];
  readonly #options: RedsOptions;
  readonly #keys: TicketKeyPool;
  readonly #gate: PasswordGate;
  readonly #uuid = crypto.getRandomValues(new Uint8Array(16));
  readonly #clients = new Map<number, RedClient>();
  readonly #mouse = new MouseModes();
  readonly #agent: AgentDevice;
  readonly #agentPolicy = { copyPaste: true, fileXfer: true };
  #config: RedsConfig;
  #ticketing: Ticketing;
  readonly #places = new LinkPlaces(MAX_LINKS);
  readonly #attempts = new Set<LinkAttempt>();
  readonly #resumed = new AwaitedSessions();
  /** Links with a wrong password that are still to be answered. */
  readonly #unanswered = new Set<RedStream>();
  readonly #netTests = new Pace(NET_TESTS_AT_ONCE, NET_TEST_REST_MS);
  readonly #turns: Turns;
  /** Tells the mouse mode once for however many wishes of one client's turn. */
  readonly #mouseModeTeller = {
    takeTurn: () => {
      for (const { main } of this.#clients.values())
        main.sendMouseMode(this.#mouse.supported, this.#mouse.current);
      for (const { door } of this.#qxl) door.send("setMouseMode", { mode: this.#mouse.current });
      this.onChange?.();
    },
  };
  /** Clients on their way out, and what each still holds. */
  readonly #leaving = new Map<number, Promise<void>>();
  #nextClientId = 1;
  #closed = false;
  /** Presses dropped since the last word about them; undefined is the tab's own screen. */
  readonly #dropped = new Map<RedClient | undefined, number>();
  #droppedTimer: ReturnType<typeof setTimeout> | undefined;
  /** Input of a client, or of the tab's own screen, had to go. */
  onInputDropped: ((event: InputDropped) => void) | undefined;
  #standing: string | undefined;
  /** Something that HostState shows has changed. */
  onChange: (() => void) | undefined;
  /** Where it says what happens. */
  log: Log = NO_LOG;
  /** A password was wrong or has expired. */
  onLinkFailed: ((event: LinkFailed) => void) | undefined;
  /** A connection became a channel of that name. */
  onLinked: ((peer: StreamPeer, channel: string) => void) | undefined;

  /** @throws PasswordTooLong */
  constructor(
    machine: RedsMachine | undefined,
    options: RedsOptions,
    keys = new TicketKeyPool(),
    gate = new PasswordGate(),
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#gate = gate;
    this.#turns = options.turns ?? threadTurns;
    this.#config = options;
    this.#ticketing = new Ticketing(options.password, options.passwordValidUntil);
    this.#setAgentPolicy(options);
    this.#agent = new AgentDevice(this.#guest, this.#agentPolicy);
    this.#agent.onWarning = (text) => this.log.log("warning", "agent", text);
    this.#agent.onStateChange = (open) => {
      for (const client of this.#clients.values()) client.main.sendAgentState(open);
      this.#mouse.setAgent(open);
      this.onChange?.();
    };
    this.#mouse.onChange = () => this.#turns.ask(this.#mouseModeTeller);
    this.hand = new GuestHand({ guest: this.#guest, agent: this.#agent, mouse: this.#mouse });
    this.hand.onWarning = (text) => this.log.log("warning", "inputs", text);
    this.hand.onLocalDropped = (count) => this.#inputDropped(undefined, count);
    this.#setDisplays(options.displays);
    this.#channels.register(this.#inputsChannel());
    if (machine) this.attach(machine);
  }

  /** Channels for that many devices. Clients that are there hear of new ones; those of devices that are gone end. */
  #setDisplays(displays = 1): void {
    for (const { door, channels } of this.#qxl.splice(displays)) {
      const reason = "the machine has fewer displays now";
      for (const channel of channels) {
        this.#channels.unregister(channel);
        for (const client of this.#clients.values()) channel.remove(client, reason);
        this.#mouse.setPrimary(undefined, channel.id);
      }
      door.close(reason);
    }
    while (this.#qxl.length < displays) {
      const door = new ThreadDoor<RedWorkerMessages>("red");
      const id = this.#qxl.length;
      const types = [ChannelType.Display, ChannelType.Cursor];
      const channels = types.map((type) => this.#qxlChannel(type, id, door));
      this.#qxl.push({ door, channels });
      for (const { main } of this.#clients.values()) main.sendChannelsList(channels);
    }
    this.#mouse.setDisplays(displays);
  }

  #qxlChannel(type: number, id: number, door: ThreadDoor<RedWorkerMessages>): QxlChannel {
    const channel = new QxlChannel(type, id, door);
    channel.onLost = (client, one, reason) => {
      if (client.channel(type, id) !== one) return;
      client.removeChannel(one);
      this.log.log("warning", "reds", `${one.name} channel of client ${client.id} was not taken: ${reason}`);
      this.onChange?.();
    };
    this.#channels.register(channel);
    return channel;
  }

  #inputsChannel(): InputsChannel {
    const { pingIntervalMs } = this.#options;
    const owner: InputsChannelOwner = {
      inputDropped: (client, count) => this.#inputDropped(client, count),
      ended: (client, channel, unreadBytes, reason) => {
        if (unreadBytes > 0)
          this.log.log(
            "info",
            "inputs",
            `client ${client.id} left before ${unreadBytes} bytes of its input were read`,
          );
        client.removeChannel(channel);
        this.log.log("info", "inputs", `inputs channel of client ${client.id} ended: ${reason}`);
        this.onChange?.();
      },
    };
    return new InputsChannel(this.hand, owner, { pingIntervalMs, turns: this.#turns });
  }

  // --- the machine -----------------------------------------------------------------------------------------------------

  /** A machine is there: the sessions go on with it. */
  attach({ guest, qxl }: RedsMachine): void {
    this.#standing = undefined;
    this.#guest.open(guest);
    this.attachQxl(qxl);
  }

  /** A device's red worker is there: its display and cursor channels go on with it. */
  attachQxl(qxl: Dispatcher<RedWorkerMessages>, display = 0): void {
    const instance = this.#qxl[display];
    if (instance === undefined) return;
    instance.door.open(qxl);
    instance.door.send("setMouseMode", { mode: this.#mouse.current });
    for (const client of this.#clients.values()) {
      for (const channel of instance.channels) channel.resume(client);
    }
  }

  /** The machine's threads are gone, or about to go: what is for them waits, and nobody is disconnected. */
  detach(): void {
    this.#guest.shut();
    for (const display of this.#qxl.keys()) this.detachQxl(display);
    this.#agent.setOpen(false);
  }

  /** Pixels of a surface, after everything that the guest has drawn so far; waits while there is no red worker. */
  async readSurface(surfaceId: number, display = 0): Promise<SurfacePixels> {
    const instance = this.#qxl[display];
    if (instance === undefined) throw new RangeError(`the machine has no display ${display}`);
    return instance.door.call("readSurface", { surfaceId });
  }

  /** A device's red worker alone is gone. */
  detachQxl(display = 0): void {
    this.#qxl[display]?.door.shut();
  }

  /** Password and name for new links, the agent's policy for messages from now on; sessions stay. @throws PasswordTooLong */
  configure(config: RedsConfig): void {
    this.#ticketing = new Ticketing(config.password, config.passwordValidUntil);
    this.#config = config;
    this.#setDisplays(config.displays);
    this.#setAgentPolicy(config);
    this.onChange?.();
  }

  #setAgentPolicy({ agentCopyPaste = true, agentFileXfer = true }: RedsConfig): void {
    Object.assign(this.#agentPolicy, { copyPaste: agentCopyPaste, fileXfer: agentFileXfer });
  }

  get mouseMode(): number {
    return this.#mouse.current;
  }
  /** Whether the guest takes absolute positions now. */
  get absolutePointer(): boolean {
    return this.#mouse.clientAllowed;
  }
  get agentConnected(): boolean {
    return this.#agent.open;
  }
  /** Why the machine stands still, if it does. */
  get standing(): string | undefined {
    return this.#standing;
  }
  get passwordSet(): boolean {
    return this.#ticketing.required;
  }

  /** Connections in their link stage. */
  get links(): number {
    return this.#places.size;
  }

  clients(): HostClient[] {
    return [...this.#clients.values()].map((client) => ({
      id: client.id,
      address: client.peer.address,
      transport: client.peer.transport,
      channels: client.channels.map((channel) => channel.name),
      since: client.since,
    }));
  }

  /** Heads that the hosting page's own screen wants. */
  monitorsConfig(heads: readonly ClientHead[]): void {
    this.#agent.monitorsConfig(heads);
  }

  /** Its part of the ownership graph. */
  get inspection(): Pick<CoreInspection, "links" | "keys" | "channels" | "clients" | "leaving"> {
    return {
      links: this.#places.size,
      keys: this.#keys.ready,
      channels: this.#channels.inspection,
      clients: this.clients().map((client) => {
        const { disconnecting, channels } = this.#clients.get(client.id)!;
        return { ...client, disconnecting, channelClients: channels.map(({ inspection }) => inspection) };
      }),
      leaving: [...this.#leaving.keys()],
    };
  }

  // --- links ---------------------------------------------------------------------------------------------------------

  /**
   * A new connection: one end of its RedStream, who is behind it, and a way to end it at its driver. Resolves when it became a channel
   * or was refused; never rejects, since nobody but that client is to blame.
   */
  async accept(port: MessagePort, peer: StreamPeer, wire?: Wire): Promise<void> {
    if (wire) wire.watcher = new ChannelTracker();
    const stream = openRedStream(port, { overshoot: CLIENT_OVERSHOOT });
    if (this.#closed) {
      stream.write(encodeLinkError(LinkError.Error));
      stream.close("the server is closing");
      return;
    }
    const place = this.#places.take(() => attempt.abort(`more than ${MAX_LINKS} links at once`));
    const attempt: LinkAttempt = authenticateLink(stream, {
      keys: this.#keys,
      ticketing: this.#ticketing,
      gate: this.#gate,
      address: hostOf(peer.address),
      isSession: (id) => this.#sessionOf(id) !== undefined,
      onStage: (stage) => place.advance(stage),
      onWrongPassword: (failure) => {
        this.#unanswered.add(stream);
        this.onLinkFailed?.({ peer, code: "PASSWORD_WRONG", ...failure });
      },
      onAnswered: () => this.#unanswered.delete(stream),
      deadlineMs: this.#options.linkDeadlineMs,
    });
    this.#attempts.add(attempt);
    try {
      const link = { ...(await attempt.done), wire };
      if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
      if (link.channelType === ChannelType.Main) await this.#mainLink(link, peer);
      else await this.#otherLink(link, peer);
    } catch (error) {
      const words = errorText(error);
      this.log.log("info", "links", `link from ${peer.address} refused: ${words}`);
      if (error instanceof LinkRefused && error.code === "PASSWORD_EXPIRED")
        this.onLinkFailed?.({ peer, code: error.code });
      if (!stream.closed && !this.#unanswered.has(stream)) stream.close("the link failed");
    } finally {
      this.#attempts.delete(attempt);
      place.leave();
    }
  }

  /**
   * A client's connection that another server had, and that its relay kept: the channel goes on where that one left it. Never rejects: one
   * that cannot go on is closed.
   */
  async resume(port: MessagePort, peer: StreamPeer, kept: LinkResume, wire?: Wire): Promise<void> {
    if (wire) wire.watcher = new ChannelTracker();
    const link = resumedLink(port, wire, kept);
    try {
      if (this.#closed) throw new NotResumed("the server is closing");
      if (link.channelType === ChannelType.Main) await this.#resumeMain(link, peer);
      else await this.#resumeOther(link, peer);
    } catch (error) {
      const words = errorText(error);
      this.log.log("warning", "links", `the connection of ${peer.address} does not go on: ${words}`);
      link.stream.close(words);
    }
  }

  async #resumeMain(link: ResumedLink, peer: StreamPeer): Promise<void> {
    // The same server may have it still, when nothing but its network was away.
    const before = this.#sessionOf(link.connectionId);
    if (before) await this.#clientDisconnect(before, "its session goes on with another connection");
    if (this.#closed || this.#clients.size >= MAX_CLIENTS)
      throw new NotResumed("there is no room for the session");
    const client = this.#addClient(link, link.connectionId, peer);
    client.main.goOn(this.#mainState());
    this.#opened(client);
    this.#resumed.come(client);
  }

  async #resumeOther(link: ResumedLink, peer: StreamPeer): Promise<void> {
    const { channelType: type, channelId: id } = link;
    const client = this.#sessionOf(link.connectionId) ?? (await this.#resumed.of(link.connectionId));
    const channel = this.#channels.find(type, id);
    if (channel === undefined) throw new NotResumed(`there is no channel ${type}:${id}`);
    const before = client.channel(type, id);
    if (before) {
      client.removeChannel(before);
      await before.disconnect("it goes on with another connection");
    }
    if (client.disconnecting) throw new NotResumed("the session has ended");
    channel.connect(client, link);
    this.onLinked?.(peer, channel.name);
    this.onChange?.();
  }

  #sessionOf(connectionId: number): RedClient | undefined {
    if (connectionId === 0) return undefined;
    return [...this.#clients.values()].find((one) => one.connectionId === connectionId);
  }

  async #mainLink(link: AuthenticatedLink, peer: StreamPeer): Promise<void> {
    // Upstream takes any non-zero id here for a migration target; without a migration there is nothing to take over.
    if (link.connectionId !== 0) {
      const detail = `a main link names session ${link.connectionId}; no migration is under way`;
      throw refuseLink(link, LinkError.BadConnectionId, detail);
    }
    if (link.channelId !== 0)
      throw refuseLink(link, LinkError.ChannelNotAvailable, "there is one main channel, number 0");
    // Without several clients the newest wins: the others have left the server before it hears INIT.
    while (this.#config.allowMultipleClients === false && this.#clients.size + this.#leaving.size > 0) {
      const replaced = [...this.#clients.values()].map((client) => this.#replaceClient(client));
      await Promise.all([...replaced, ...this.#leaving.values()]);
    }
    if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
    if (this.#clients.size >= MAX_CLIENTS) this.#dismissSilent();
    if (this.#clients.size >= MAX_CLIENTS)
      throw refuseLink(link, LinkError.Error, `${MAX_CLIENTS} clients are connected already`);
    acceptLink(link);
    const client = this.#addClient(link, this.#newConnectionId(), peer);
    client.main.start({
      sessionId: client.connectionId,
      name: this.#config.name,
      uuid: this.#uuid,
      ...this.#mainState(),
    });
    this.#opened(client);
  }

  #mainState() {
    return {
      supportedMouseModes: this.#mouse.supported,
      currentMouseMode: this.#mouse.current,
      agentConnected: this.#agent.open,
      displays: this.#qxl.length,
      multiMediaTime: Math.floor(performance.now()) >>> 0,
    };
  }

  #opened({ main, peer }: RedClient): void {
    main.open();
    if (this.#standing !== undefined) main.notify(this.#standing);
    this.onLinked?.(peer, "main");
    this.onChange?.();
  }

  /** A session, with its main channel. */
  #addClient(link: AuthenticatedLink, connectionId: number, peer: StreamPeer): RedClient {
    if (link.wire) link.wire.watcher = undefined;
    const { connectivityIntervalMs, pingIntervalMs } = this.#options;
    const main = new MainChannelClient(
      { ...link, connectivityIntervalMs, pingIntervalMs, turns: this.#turns },
      {
        channels: () => this.#channels.list(),
        mayTestLine: () => this.#netTests.take(),
        mouseModeRequested: (mode) => this.#mouse.request(mode),
        agentStart: (client, tokens) => this.#agent.start(client, tokens),
        agentData: (client, data) => this.#agent.receive(client, data),
        agentTokens: (client, tokens) => this.#agent.addTokens(client, tokens),
        agentResume: (client) => this.#agent.resume(client),
      },
    );
    const client = new RedClient(this.#nextClientId++, connectionId, peer, main);
    this.#clients.set(client.id, client);
    const channel = localChannelClient({ type: ChannelType.Main, id: 0, name: "main" }, main);
    client.addChannel(channel);
    main.onDisconnect = (reason) => {
      this.#agent.remove(main);
      client.removeChannel(channel);
      this.#queueClientDisconnect(client, reason);
    };
    return client;
  }

  /** Room for a newcomer: the session goes that has done nothing since its link, the oldest of several. */
  #dismissSilent(): void {
    const silent = [...this.#clients.values()].find(
      ({ main, channels }) => main.receivedBytes === 0 && channels.length === 1,
    );
    if (silent)
      void this.#clientDisconnect(silent, "it has said nothing, and another client wants its place");
  }

  async #replaceClient(client: RedClient): Promise<void> {
    client.main.sayDisconnecting(LinkError.Ok);
    await this.#clientDisconnect(client, "another client connected");
  }

  async #otherLink(link: AuthenticatedLink, peer: StreamPeer): Promise<void> {
    const { channelType: type, channelId: id } = link;
    const client = this.#sessionOf(link.connectionId);
    if (!client || client.disconnecting)
      throw refuseLink(link, LinkError.BadConnectionId, `there is no session ${link.connectionId}`);
    const channel = this.#channels.find(type, id);
    if (channel === undefined)
      throw refuseLink(link, LinkError.ChannelNotAvailable, `there is no channel ${type}:${id}`);
    if (client.channel(type, id))
      throw refuseLink(link, LinkError.Error, `this session has channel ${type}:${id} already`);
    acceptLink(link);
    channel.connect(client, link);
    this.onLinked?.(peer, channel.name);
    this.onChange?.();
  }

  /** The guest reads nothing, and presses had to go: never without a word. */
  #inputDropped(client: RedClient | undefined, count: number): void {
    this.#dropped.set(client, (this.#dropped.get(client) ?? 0) + count);
    this.#droppedTimer ??= setTimeout(() => {
      this.#droppedTimer = undefined;
      for (const [client, presses] of this.#dropped) {
        const words = `The machine does not read its keyboard or mouse: ${presses} presses were dropped.`;
        client?.main.notify(words);
        this.log.log("warning", "inputs", client ? `client ${client.id}: ${words}` : words);
        this.onInputDropped?.({ count: presses, ...(client && { clientId: client.id }) });
      }
      this.#dropped.clear();
    }, this.#options.droppedNoticeMs ?? DROPPED_NOTICE_MS);
  }

  #newConnectionId(): number {
    const [id] = crypto.getRandomValues(new Uint32Array(1));
    const taken = [...this.#clients.values()].some((client) => client.connectionId === id);
    return id === 0 || taken ? this.#newConnectionId() : id;
  }

  // --- sessions ------------------------------------------------------------------------------------------------------

  /** CLIENT_DISCONNECT: always queued, so that teardown never runs inside the code that found the error. */
  #queueClientDisconnect(client: RedClient, reason: string): void {
    if (client.disconnecting) return;
    queueMicrotask(() => void this.#clientDisconnect(client, reason));
  }

  async #clientDisconnect(client: RedClient, reason: string): Promise<void> {
    if (!this.#clients.delete(client.id)) return this.#leaving.get(client.id);
    this.log.log("info", "reds", `client ${client.id} (${client.peer.address}) left: ${reason}`);
    this.#agent.remove(client.main);
    if (this.#clients.size === 0) this.#mouse.request(MouseMode.Server);
    this.onChange?.();
    const gone = client.destroy(reason).finally(() => this.#leaving.delete(client.id));
    this.#leaving.set(client.id, gone);
    await gone;
  }

  /** Ends one session; its person is told why. Resolves when nothing of it is left. */
  async kick(clientId: number, reason: string): Promise<void> {
    const client = this.#clients.get(clientId);
    // It may be on its way out already.
    if (!client) return this.#leaving.get(clientId);
    client.main.notify(reason, NotifySeverity.Error);
    client.main.sayDisconnecting(LinkError.Ok);
    // The words must leave before the stream ends.
    await new Promise((resolve) => setTimeout(resolve, DISCONNECT_GRACE_MS));
    await this.#clientDisconnect(client, reason);
  }

  // --- MainDispatcher: what the red worker reports ---------------------------------------------------------------------

  channelClientDisconnected(message: Payload<MainMessages, "channelClientDisconnected">): void {
    const client = this.#clients.get(message.clientId);
    const channel = client?.channel(message.channelType, message.channelId);
    if (!client || !channel) return;
    client.removeChannel(channel);
    this.log.log("info", "reds", `${channel.name} channel of client ${client.id} ended: ${message.reason}`);
    this.onChange?.();
  }

  primaryChanged(message: Payload<MainMessages, "primaryChanged">): void {
    this.#mouse.setPrimary(message.active ? { mouseMode: message.mouseMode } : undefined, message.channelId);
  }

  // --- what the guest reports ------------------------------------------------------------------------------------------

  agentState(open: boolean): void {
    this.#agent.setOpen(open);
  }

  /** Resolves when the clients have room for more. */
  agentData(bytes: Uint8Array): Promise<void> {
    return this.#agent.fromGuest(bytes);
  }

  /** @param reach displays that its positions reach */
  tabletState(enabled: boolean, reach?: number): void {
    this.#mouse.setTablet(enabled, reach);
  }

  leds(modifiers: number): void {
    this.hand.setLeds(modifiers);
    this.onChange?.();
  }

  /** Words about the machine's run, for those who are connected and, while it stands, for those who join. */
  power(words: string, stands: boolean): void {
    this.#standing = stands ? words : undefined;
    const severity = stands ? NotifySeverity.Warn : NotifySeverity.Info;
    for (const client of this.#clients.values()) client.main.notify(words, severity);
    this.log.log("message", "reds", words);
    this.onChange?.();
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Tells every client why, then disconnects them all. Resolves when nothing of them is left. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    for (const attempt of this.#attempts) attempt.abort(reason);
    for (const stream of this.#unanswered) stream.close(reason);
    this.#unanswered.clear();
    this.#resumed.close(reason);
    await Promise.all([...this.#clients.keys()].map((id) => this.kick(id, reason)));
    await Promise.all(this.#leaving.values());
    this.#agent[Symbol.dispose]();
    this.hand[Symbol.dispose]();
    this.#guest.close(reason);
    for (const { door } of this.#qxl) door.close(reason);
    clearTimeout(this.#droppedTimer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close("the server is closing");
  }
}

export { LinkRefused };

/** An address without its port: who it is, as far as passwords are concerned. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

import type {
  Dispatcher,
  GuestMessages,
  MainMessages,
  Payload,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { ChannelType, LinkError, MouseMode, NotifySeverity, encodeLinkError } from "../protocol/index.ts";
import type { StreamPeer } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import { AgentDevice } from "./agent-device.ts";
import { GuestHand } from "./guest-hand.ts";
import type { HostClient } from "./host-control.ts";
import { InputsChannelClient } from "./inputs-channel-client.ts";
import type { AuthenticatedLink } from "./link.ts";
import { LinkRefused, acceptLink, authenticateLink, refuseLink } from "./link.ts";
import { DISCONNECT_GRACE, LINK_OVERSHOOT, MAX_CLIENTS, MAX_LINKS } from "./limits.ts";
import { MainChannelClient } from "./main-channel-client.ts";
import { MouseModes } from "./mouse-mode.ts";
import type { ClientChannel } from "./red-client.ts";
import { RedClient } from "./red-client.ts";
import { RemoteChannelClient } from "./remote-channel-client.ts";
import { TicketKeyPool, Ticketing } from "./ticket.ts";

/** The threads that Reds serves for; both belong to whoever made it. */
export interface RedsMachine {
  readonly guest: Dispatcher<GuestMessages>;
  /** One QXL device so far: display and cursor channel 0. */
  readonly qxl: Dispatcher<RedWorkerMessages>;
}

export interface RedsOptions {
  readonly name: string;
  /** Empty or absent: every ticket is good. At most 60 bytes of UTF-8. */
  readonly password?: string;
  /** False: a new session ends the earlier ones, as in spice-server. @default true */
  readonly allowMultipleClients?: boolean;
  /** Whether clipboards go through the agent. @default true */
  readonly agentCopyPaste?: boolean;
  /** Whether files go through the agent. @default true */
  readonly agentFileXfer?: boolean;
  /** Milliseconds for a link; see LINK_DEADLINE. */
  readonly linkDeadline?: number;
  /** Milliseconds between looks at whether a client is alive; see CONNECTIVITY_INTERVAL. */
  readonly connectivityInterval?: number;
  /** Milliseconds between latency pings, 0 for none; see PING_INTERVAL of the channels. */
  readonly pingInterval?: number;
}

/** What may change while the server runs. */
export type RedsConfig = Pick<
  RedsOptions,
  "name" | "password" | "allowMultipleClients" | "agentCopyPaste" | "agentFileXfer"
>;

const CHANNELS: readonly { readonly type: number; readonly id: number }[] = [
  { type: ChannelType.Display, id: 0 },
  { type: ChannelType.Inputs, id: 0 },
  { type: ChannelType.Cursor, id: 0 },
];

/**
 * The server (RedsState): links, sessions, and the channels that live on core's thread. Owns the clients; the dispatchers to the
 * guest and to the red worker are its machine's.
 */
export class Reds implements AsyncDisposable {
  /** The guest's keyboard and pointer. */
  readonly hand: GuestHand;
  readonly #machine: RedsMachine;
  readonly #options: RedsOptions;
  readonly #keys: TicketKeyPool;
  readonly #uuid = crypto.getRandomValues(new Uint8Array(16));
  readonly #clients = new Map<number, RedClient>();
  readonly #mouse = new MouseModes();
  readonly #agent: AgentDevice;
  readonly #agentPolicy = { copyPaste: true, fileXfer: true };
  #config: RedsConfig;
  #ticketing: Ticketing;
  #links = 0;
  #nextClientId = 1;
  #closed = false;
  /** Something that HostState shows has changed. */
  onChange: (() => void) | undefined;
  onLog: ((text: string) => void) | undefined;

  /** @throws PasswordTooLong */
  constructor(machine: RedsMachine, options: RedsOptions, keys = new TicketKeyPool()) {
    this.#machine = machine;
    this.#options = options;
    this.#keys = keys;
    this.#config = options;
    this.#ticketing = new Ticketing(options.password);
    this.#setAgentPolicy(options);
    this.#agent = new AgentDevice(machine.guest, this.#agentPolicy);
    this.#agent.onWarning = (text) => this.onLog?.(text);
    this.#agent.onStateChange = (open) => {
      for (const client of this.#clients.values()) client.main.sendAgentState(open);
      this.#mouse.setAgent(open);
      this.onChange?.();
    };
    this.#mouse.onChange = () => {
      for (const client of this.#clients.values())
        client.main.sendMouseMode(this.#mouse.supported, this.#mouse.current);
      this.#machine.qxl.send("setMouseMode", { mode: this.#mouse.current });
      this.onChange?.();
    };
    this.hand = new GuestHand({ guest: machine.guest, agent: this.#agent, mouse: this.#mouse });
  }

  /** Password and name for new links, the agent's policy for messages from now on; sessions stay. @throws PasswordTooLong */
  configure(config: RedsConfig): void {
    this.#ticketing = new Ticketing(config.password);
    this.#config = config;
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
  get passwordSet(): boolean {
    return this.#ticketing.required;
  }
  /** Connections in their link stage. */
  get links(): number {
    return this.#links;
  }
  /** Ticket keys at hand. */
  get readyKeys(): number {
    return this.#keys.ready;
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

  /** Bytes sent by the client's channels on this thread. */
  sentBytes(clientId: number): number {
    return (
      this.#clients.get(clientId)?.channels.reduce((sum, channel) => sum + (channel.sentBytes ?? 0), 0) ?? 0
    );
  }

  // --- links ---------------------------------------------------------------------------------------------------------

  /**
   * A new connection: one end of its RedStream, who is behind it, and a way to end it at its driver. Resolves when it became a channel
   * or was refused; never rejects, since nobody but that client is to blame.
   */
  async accept(port: MessagePort, peer: StreamPeer, cut?: (reason: string) => void): Promise<void> {
    const stream = openRedStream(port, { overshoot: LINK_OVERSHOOT });
    if (this.#closed || this.#links >= MAX_LINKS) {
      stream.write(encodeLinkError(LinkError.Error));
      stream.close(this.#closed ? "the server is closing" : `more than ${MAX_LINKS} links at once`);
      return;
    }
    this.#links++;
    try {
      const context = { keys: this.#keys, ticketing: this.#ticketing, deadline: this.#options.linkDeadline };
      const link = { ...(await authenticateLink(stream, context)), cut };
      if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
      if (link.channelType === ChannelType.Main) await this.#mainLink(link, peer);
      else this.#otherLink(link);
    } catch (error) {
      this.onLog?.(
        `link from ${peer.address} refused: ${error instanceof Error ? error.message : String(error)}`,
      );
      if (!stream.closed) stream.close("the link failed");
    } finally {
      this.#links--;
    }
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
    while (this.#config.allowMultipleClients === false && this.#clients.size > 0)
      await Promise.all([...this.#clients.values()].map((client) => this.#replaceClient(client)));
    if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
    if (this.#clients.size >= MAX_CLIENTS)
      throw refuseLink(link, LinkError.Error, `${MAX_CLIENTS} clients are connected already`);
    acceptLink(link);
    const { connectivityInterval, pingInterval } = this.#options;
    const main = new MainChannelClient(
      { ...link, connectivityInterval, pingInterval },
      {
        channels: () => CHANNELS,
        mouseModeRequested: (mode) => this.#mouse.request(mode),
        agentStart: (client, tokens) => this.#agent.start(client, tokens),
        agentData: (client, data) => this.#agent.receive(client, data),
        agentTokens: (client, tokens) => this.#agent.addTokens(client, tokens),
        agentResume: (client) => this.#agent.resume(client),
      },
    );
    const client = new RedClient(this.#nextClientId++, this.#newConnectionId(), peer, main);
    this.#clients.set(client.id, client);
    const channel = localChannel(ChannelType.Main, "main", main);
    client.addChannel(channel);
    main.onDisconnect = (reason) => {
      this.#agent.remove(main);
      client.removeChannel(channel);
      this.#queueClientDisconnect(client, reason);
    };
    main.start({
      sessionId: client.connectionId,
      name: this.#config.name,
      uuid: this.#uuid,
      supportedMouseModes: this.#mouse.supported,
      currentMouseMode: this.#mouse.current,
      agentConnected: this.#agent.open,
      multiMediaTime: Math.floor(performance.now()) >>> 0,
    });
    main.open();
    this.onChange?.();
  }

  async #replaceClient(client: RedClient): Promise<void> {
    client.main.sayDisconnecting(LinkError.Ok);
    await this.#clientDisconnect(client, "another client connected");
  }

  #otherLink(link: AuthenticatedLink): void {
    const { channelType: type, channelId: id } = link;
    const client = [...this.#clients.values()].find((one) => one.connectionId === link.connectionId);
    if (!client || client.disconnecting || link.connectionId === 0)
      throw refuseLink(link, LinkError.BadConnectionId, `there is no session ${link.connectionId}`);
    if (!CHANNELS.some((channel) => channel.type === type && channel.id === id))
      throw refuseLink(link, LinkError.ChannelNotAvailable, `there is no channel ${type}:${id}`);
    if (client.channel(type, id))
      throw refuseLink(link, LinkError.Error, `this session has channel ${type}:${id} already`);
    acceptLink(link);
    if (type === ChannelType.Inputs) this.#connectInputs(client, link);
    else this.#connectRemote(client, link);
    this.onChange?.();
  }

  #connectInputs(client: RedClient, link: AuthenticatedLink): void {
    const { pingInterval } = this.#options;
    const inputs = new InputsChannelClient({ ...link, pingInterval }, this.hand);
    const channel = localChannel(ChannelType.Inputs, "inputs", inputs);
    client.addChannel(channel);
    this.hand.add(inputs);
    inputs.onDisconnect = (reason) => {
      this.hand.remove(inputs);
      client.removeChannel(channel);
      this.onLog?.(`inputs channel of client ${client.id} ended: ${reason}`);
      this.onChange?.();
    };
    inputs.open();
  }

  #connectRemote(client: RedClient, link: AuthenticatedLink): void {
    const remote = new RemoteChannelClient(client.id, link, this.#machine.qxl);
    remote.connect(link, client.main.lowBandwidth);
    client.addChannel(remote);
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
    if (!this.#clients.delete(client.id)) return;
    this.onLog?.(`client ${client.id} (${client.peer.address}) left: ${reason}`);
    this.#agent.remove(client.main);
    if (this.#clients.size === 0) this.#mouse.request(MouseMode.Server);
    this.onChange?.();
    await client.destroy(reason);
  }

  /** Ends one session; its person is told why. Resolves when nothing of it is left. */
  async kick(clientId: number, reason: string): Promise<void> {
    const client = this.#clients.get(clientId);
    if (!client) return;
    client.main.notify(reason, NotifySeverity.Error);
    client.main.sayDisconnecting(LinkError.Ok);
    // The words must leave before the stream ends.
    await new Promise((resolve) => setTimeout(resolve, DISCONNECT_GRACE));
    await this.#clientDisconnect(client, reason);
  }

  // --- MainDispatcher: what the red worker reports ---------------------------------------------------------------------

  channelClientDisconnected(message: Payload<MainMessages, "channelClientDisconnected">): void {
    const client = this.#clients.get(message.clientId);
    const channel = client?.channel(message.channelType, message.channelId);
    if (!client || !channel) return;
    client.removeChannel(channel);
    this.onLog?.(`${channel.name} channel of client ${client.id} ended: ${message.reason}`);
    this.onChange?.();
  }

  primaryChanged(message: Payload<MainMessages, "primaryChanged">): void {
    this.#mouse.setPrimary(message.active ? { mouseMode: message.mouseMode } : undefined);
  }

  // --- what the guest reports ------------------------------------------------------------------------------------------

  agentState(open: boolean): void {
    this.#agent.setOpen(open);
  }

  /** Resolves when the clients have room for more. */
  agentData(bytes: Uint8Array): Promise<void> {
    return this.#agent.fromGuest(bytes);
  }

  tabletState(enabled: boolean): void {
    this.#mouse.setTablet(enabled);
  }

  leds(modifiers: number): void {
    this.hand.setLeds(modifiers);
    this.onChange?.();
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Tells every client why, then disconnects them all. Resolves when nothing of them is left. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#clients.keys()].map((id) => this.kick(id, reason)));
    this.#agent[Symbol.dispose]();
    this.hand[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close("the server is closing");
  }
}

export { LinkRefused };

function localChannel(
  type: number,
  name: string,
  client: { disconnect(reason: string): void; readonly sentBytes: number },
): ClientChannel {
  return {
    type,
    id: 0,
    name,
    disconnect: (reason) => client.disconnect(reason),
    get sentBytes() {
      return client.sentBytes;
    },
  };
}

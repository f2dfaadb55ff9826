import type {
  Dispatcher,
  GuestMessages,
  MainMessages,
  Payload,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { ChannelType, LinkError, MouseMode, NotifySeverity } from "../protocol/index.ts";
import type { StreamPeer } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import { AgentDevice } from "./agent-device.ts";
import type { HostClient } from "./host-control.ts";
import { InputsChannelClient } from "./inputs-channel-client.ts";
import type { AuthenticatedLink } from "./link.ts";
import { LinkRefused, acceptLink, authenticateLink, refuseLink } from "./link.ts";
import { DISCONNECT_GRACE, KEY_MODIFIERS_TTL, MAX_CLIENTS, MAX_LINKS } from "./limits.ts";
import { MainChannelClient } from "./main-channel-client.ts";
import { MouseModes } from "./mouse-mode.ts";
import type { ClientChannel } from "./red-client.ts";
import { RedClient } from "./red-client.ts";
import { TicketKeyPool, Ticketing } from "./ticket.ts";

/** The threads that Reds serves for; both belong to whoever made it. */
export interface RedsMachine {
  readonly guest: Dispatcher<GuestMessages>;
  /** One QXL device so far: display and cursor channel 0. */
  readonly qxl: Dispatcher<RedWorkerMessages>;
}

export interface RedsOptions {
  readonly name: string;
  readonly password?: string;
  /** Milliseconds for a link; see LINK_DEADLINE. */
  readonly linkDeadline?: number;
}

const REMOTE_CHANNELS: Readonly<Record<number, string>> = {
  [ChannelType.Display]: "display",
  [ChannelType.Cursor]: "cursor",
};

/** A channel client on a red worker's thread: type, id and the dispatcher to it. */
class RemoteChannelClient implements ClientChannel {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  readonly #clientId: number;
  readonly #qxl: Dispatcher<RedWorkerMessages>;

  constructor(clientId: number, type: number, id: number, qxl: Dispatcher<RedWorkerMessages>) {
    this.#clientId = clientId;
    this.type = type;
    this.id = id;
    this.name = REMOTE_CHANNELS[type];
    this.#qxl = qxl;
  }

  async disconnect(): Promise<void> {
    // A red worker that is gone took its channel clients with it.
    await this.#qxl
      .call("disconnectClient", { clientId: this.#clientId, channelType: this.type })
      .catch(() => {});
  }
}

/**
 * The server (RedsState): links, sessions, and the channels that live on core's thread. Owns the clients; the dispatchers to the
 * guest and to the red worker are its machine's.
 */
export class Reds implements AsyncDisposable {
  readonly #machine: RedsMachine;
  readonly #keys: TicketKeyPool;
  readonly #uuid = crypto.getRandomValues(new Uint8Array(16));
  readonly #clients = new Map<number, RedClient>();
  readonly #mouse = new MouseModes();
  readonly #agent: AgentDevice;
  readonly #inputs = new Set<InputsChannelClient>();
  readonly #linkDeadline: number | undefined;
  #name: string;
  #ticketing: Ticketing;
  #links = 0;
  #nextClientId = 1;
  #leds = 0;
  #ledsTimer: ReturnType<typeof setTimeout> | undefined;
  #pointer = { x: 0, y: 0 };
  #closed = false;
  /** Something that HostState shows has changed. */
  onChange: (() => void) | undefined;
  onLog: ((text: string) => void) | undefined;

  constructor(machine: RedsMachine, options: RedsOptions, keys = new TicketKeyPool()) {
    this.#machine = machine;
    this.#keys = keys;
    this.#name = options.name;
    this.#ticketing = new Ticketing(options.password);
    this.#linkDeadline = options.linkDeadline;
    this.#agent = new AgentDevice(machine.guest);
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
  }

  /** For new links; sessions stay. @throws PasswordTooLong */
  configure(options: { name: string; password?: string }): void {
    this.#ticketing = new Ticketing(options.password);
    this.#name = options.name;
    this.onChange?.();
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
  get links(): number {
    return this.#links;
  }
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

  sentBytes(clientId: number): number {
    return (
      this.#clients.get(clientId)?.channels.reduce((sum, channel) => sum + (channel.sentBytes ?? 0), 0) ?? 0
    );
  }

  // --- links ---------------------------------------------------------------------------------------------------------

  /**
   * A new connection: one end of its RedStream and who is behind it. Resolves when it became a channel or was refused; never rejects,
   * since nobody but that client is to blame.
   */
  async accept(port: MessagePort, peer: StreamPeer): Promise<void> {
    const stream = openRedStream(port);
    if (this.#closed || this.#links >= MAX_LINKS) {
      stream.close(this.#closed ? "the server is closing" : `more than ${MAX_LINKS} links at once`);
      return;
    }
    this.#links++;
    try {
      const link = await authenticateLink(stream, {
        keys: this.#keys,
        ticketing: this.#ticketing,
        deadline: this.#linkDeadline,
      });
      if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
      if (link.channelType === ChannelType.Main) this.#mainLink(link, peer);
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

  #mainLink(link: AuthenticatedLink, peer: StreamPeer): void {
    // Upstream takes any non-zero id here for a migration target; without a migration there is nothing to take over.
    if (link.connectionId !== 0) {
      throw refuseLink(
        link,
        LinkError.BadConnectionId,
        `a main link names session ${link.connectionId}; no migration is under way`,
      );
    }
    if (link.channelId !== 0)
      throw refuseLink(link, LinkError.ChannelNotAvailable, "there is one main channel, number 0");
    if (this.#clients.size >= MAX_CLIENTS) {
      throw refuseLink(link, LinkError.Error, `${MAX_CLIENTS} clients are connected already`);
    }
    acceptLink(link);
    const main = new MainChannelClient(link, {
      channels: () => this.#channels(),
      mouseModeRequested: (mode) => this.#mouse.request(mode),
      agentStart: (client, tokens) => this.#agent.start(client, tokens),
      agentData: (client, data) => this.#agent.receive(client, data),
      agentTokens: (client, tokens) => this.#agent.addTokens(client, tokens),
    });
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
      name: this.#name,
      uuid: this.#uuid,
      supportedMouseModes: this.#mouse.supported,
      currentMouseMode: this.#mouse.current,
      agentConnected: this.#agent.open,
      multiMediaTime: Math.floor(performance.now()) >>> 0,
    });
    main.open();
    this.onChange?.();
  }

  #otherLink(link: AuthenticatedLink): void {
    const client = [...this.#clients.values()].find((one) => one.connectionId === link.connectionId);
    if (!client || client.disconnecting || link.connectionId === 0) {
      throw refuseLink(link, LinkError.BadConnectionId, `there is no session ${link.connectionId}`);
    }
    const offered = this.#channels().some(
      (channel) => channel.type === link.channelType && channel.id === link.channelId,
    );
    if (!offered) {
      throw refuseLink(
        link,
        LinkError.ChannelNotAvailable,
        `there is no channel ${link.channelType}:${link.channelId}`,
      );
    }
    if (client.channel(link.channelType, link.channelId)) {
      throw refuseLink(
        link,
        LinkError.Error,
        `this session has channel ${link.channelType}:${link.channelId} already`,
      );
    }
    acceptLink(link);
    if (link.channelType === ChannelType.Inputs) this.#connectInputs(client, link);
    else this.#connectRemote(client, link);
    this.onChange?.();
  }

  #connectInputs(client: RedClient, link: AuthenticatedLink): void {
    const currentLeds = () => this.#leds;
    const inputs = new InputsChannelClient(link, {
      keyScancodes: (bytes) => this.keyScancodes(bytes),
      motion: (dx, dy, buttons) => this.motion(dx, dy, buttons),
      position: (x, y, buttons, displayId) => this.position(x, y, buttons, displayId),
      buttons: (buttons, dz) => this.buttons(buttons, dz),
      get leds() {
        return currentLeds();
      },
    });
    const channel = localChannel(ChannelType.Inputs, "inputs", inputs);
    this.#inputs.add(inputs);
    inputs.onDisconnect = () => {
      this.#inputs.delete(inputs);
      client.removeChannel(channel);
      this.onChange?.();
    };
    if (client.addChannel(channel)) inputs.open();
    else inputs.disconnect("the session is ending");
  }

  /** Hands the stream to the red worker's thread; asynchronous, as upstream's connect is. */
  #connectRemote(client: RedClient, link: AuthenticatedLink): void {
    const remote = new RemoteChannelClient(client.id, link.channelType, link.channelId, this.#machine.qxl);
    if (!client.addChannel(remote)) {
      link.stream.close("the session is ending");
      return;
    }
    const port = link.stream.detach();
    this.#machine.qxl.send(
      "connect",
      {
        clientId: client.id,
        channelType: link.channelType,
        channelId: link.channelId,
        capabilities: link.capabilities,
        miniHeader: link.miniHeader,
        lowBandwidth: client.main.lowBandwidth,
        port,
      },
      [port],
    );
  }

  #channels(): { type: number; id: number }[] {
    return [
      { type: ChannelType.Display, id: 0 },
      { type: ChannelType.Inputs, id: 0 },
      { type: ChannelType.Cursor, id: 0 },
    ];
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
    if (client.disconnecting) return;
    this.#clients.delete(client.id);
    this.#agent.remove(client.main);
    this.onLog?.(`client ${client.id} (${client.peer.address}) left: ${reason}`);
    await client.destroy(reason);
    if (this.#clients.size === 0) this.#mouse.request(MouseMode.Server);
    this.onChange?.();
  }

  /** Ends one session; its person is told why. */
  async kick(clientId: number, reason: string): Promise<void> {
    const client = this.#clients.get(clientId);
    if (!client) return;
    client.main.notify(reason, NotifySeverity.Error);
    client.main.sayDisconnecting(LinkError.Ok);
    // The words must leave before the stream ends.
    await new Promise((resolve) => setTimeout(resolve, DISCONNECT_GRACE));
    await this.#clientDisconnect(client, reason);
  }

  /** MainDispatcher: what the red worker reports. */
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

  // --- guest ---------------------------------------------------------------------------------------------------------

  agentState(open: boolean): void {
    this.#agent.setOpen(open);
  }

  agentData(bytes: Uint8Array): void {
    try {
      this.#agent.fromGuest(bytes);
    } catch (error) {
      // The port's framing is lost: treat it as an agent that left and came again.
      this.onLog?.(`agent: ${error instanceof Error ? error.message : String(error)}; its port is reset`);
      this.#agent.setOpen(false);
      this.#agent.setOpen(true);
    }
  }

  tabletState(enabled: boolean): void {
    this.#mouse.setTablet(enabled);
  }

  leds(modifiers: number): void {
    if (modifiers === this.#leds) return;
    this.#leds = modifiers;
    clearTimeout(this.#ledsTimer);
    const tell = () => {
      for (const inputs of this.#inputs) inputs.sendModifiers(modifiers);
    };
    tell();
    // Told once more: a client that pressed the key itself may have overridden the first.
    this.#ledsTimer = setTimeout(tell, KEY_MODIFIERS_TTL);
  }

  keyScancodes(bytes: readonly number[]): void {
    if (bytes.length > 0) this.#machine.guest.send("keyScancodes", { bytes });
  }

  motion(dx: number, dy: number, buttons: number): void {
    if (this.#mouse.current !== MouseMode.Server) return;
    this.#machine.guest.send("mouseMotion", { dx, dy, dz: 0, buttons });
  }

  position(x: number, y: number, buttons: number, displayId = 0): void {
    if (this.#mouse.current !== MouseMode.Client) return;
    this.#pointer = { x, y };
    if (this.#mouse.usesTablet) this.#machine.guest.send("mousePosition", { x, y, dz: 0, buttons });
    else this.#agent.mouseState(x, y, buttons, displayId);
  }

  buttons(buttons: number, dz: number): void {
    if (this.#mouse.current === MouseMode.Server) {
      this.#machine.guest.send("mouseMotion", { dx: 0, dy: 0, dz, buttons });
      return;
    }
    const { x, y } = this.#pointer;
    if (this.#mouse.usesTablet) this.#machine.guest.send("mousePosition", { x, y, dz, buttons });
    else this.#agent.mouseState(x, y, buttons | (dz < 0 ? 8 : dz > 0 ? 16 : 0), 0);
  }

  /** The page's own user: absolute where the guest can take it, whatever mode the clients use. */
  localPosition(x: number, y: number, dz: number, buttons: number): void {
    this.#pointer = { x, y };
    if (this.#mouse.usesTablet) this.#machine.guest.send("mousePosition", { x, y, dz, buttons });
    else if (this.#agent.open) this.#agent.mouseState(x, y, buttons | (dz < 0 ? 8 : dz > 0 ? 16 : 0), 0);
  }

  localMotion(dx: number, dy: number, dz: number, buttons: number): void {
    this.#machine.guest.send("mouseMotion", { dx, dy, dz, buttons });
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Tells every client why, then disconnects them all. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#ledsTimer);
    await Promise.all([...this.#clients.keys()].map((id) => this.kick(id, reason)));
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

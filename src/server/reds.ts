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
import { NO_LOG, failureLogger } from "../log/index.ts";
import { NotifySeverity } from "../protocol/index.ts";
import type { LinkResume } from "../relay-control/index.ts";
import type { StreamPeer, StreamPort, Turns, Wire } from "../transport/index.ts";
import { threadTurns } from "../transport/index.ts";
import { AgentDevice } from "./agent-device.ts";
import { DroppedInput } from "./dropped-input.ts";
import { GuestHand } from "./guest-hand.ts";
import type { CoreInspection, HostClient, InputDropped, LinkFailed } from "./host-control.ts";
import { InputsChannel } from "./inputs-channel.ts";
import { LinkDesk } from "./link-desk.ts";
import { MainDispatcher } from "./main-dispatcher.ts";
import { MouseModes } from "./mouse-mode.ts";
import { PasswordGate } from "./password-gate.ts";
import { QxlDevices } from "./qxl-devices.ts";
import { RedChannels } from "./red-channel.ts";
import type { ClientChannel, RedClient } from "./red-client.ts";
import type { RedsConfig, RedsOptions } from "./reds-config.ts";
import { ServerConfig } from "./reds-config.ts";
import { Sessions } from "./sessions.ts";
import { ThreadDoor } from "./thread-door.ts";
import { TicketKeyPool } from "./ticket.ts";

/** The threads that Reds serves for; both belong to whoever made it. */
export interface RedsMachine {
  readonly guest: Dispatcher<GuestMessages>;
  /** The red worker of the first QXL device; those of others come when the guest drives them. */
  readonly qxl: Dispatcher<RedWorkerMessages>;
}

/**
 * The server (RedsState): what there is on core's thread, and who may know whom. Sessions, links, devices and the agent are its parts;
 * the dispatchers to the guest and to the red workers are its machine's, which may be gone for a while and come back: sessions stay.
 */
export class Reds implements AsyncDisposable {
  /** The guest's keyboard and pointer. */
  readonly hand: GuestHand;
  /** Where red workers report, and core tells itself that a client's end is due. */
  readonly dispatcher: MainDispatcher;
  readonly #guest = new ThreadDoor<GuestMessages>("guest");
  readonly #channels = new RedChannels();
  readonly #qxl: QxlDevices;
  readonly #config: ServerConfig;
  readonly #keys: TicketKeyPool;
  readonly #links: LinkDesk;
  readonly #sessions: Sessions;
  readonly #mouse = new MouseModes();
  readonly #agent: AgentDevice;
  readonly #dropped: DroppedInput;
  readonly #turns: Turns;
  #standing: string | undefined;
  /** Tells the mouse mode once for however many wishes of one client's turn. */
  readonly #mouseModeTeller = {
    takeTurn: () => {
      for (const { main } of this.#sessions.clients.all())
        main.sendMouseMode(this.#mouse.supported, this.#mouse.current);
      for (const door of this.#qxl.doors) door.send("setMouseMode", { mode: this.#mouse.current });
      this.onChange?.();
    },
  };
  /** Something that HostState shows has changed. */
  onChange: (() => void) | undefined;
  /** Where it says what happens. */
  log: Log = NO_LOG;
  /** For its parts. */
  readonly #log: Log = { log: (level, domain, words) => this.log.log(level, domain, words) };
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
    this.#keys = keys;
    this.#turns = options.turns ?? threadTurns;
    this.#config = new ServerConfig(options);
    this.#agent = this.#makeAgent();
    this.#mouse.onChange = () => this.#turns.ask(this.#mouseModeTeller);
    this.#dropped = new DroppedInput(this.#log, options.droppedNoticeMs);
    this.hand = new GuestHand({ guest: this.#guest, agent: this.#agent, mouse: this.#mouse });
    this.hand.onWarning = (text) => this.log.log("warning", "inputs", text);
    this.hand.onLocalDropped = (count) => this.#dropped.add(undefined, count);
    const onError = failureLogger(this.#log);
    this.dispatcher = new MainDispatcher(
      {
        clientDisconnect: (client, reason) => this.#sessions.disconnect(client, reason),
        channelClientDisconnected: (message) => this.#sessions.channelEnded(message),
        primaryChanged: (message) => this.#primaryChanged(message),
      },
      onError,
    );
    this.#links = new LinkDesk(
      {
        log: this.#log,
        config: this.#config,
        isSession: (id) => this.#sessions.clients.ofSession(id) !== undefined,
        admitted: (link, peer) => this.#sessions.admit(link, peer),
        linkFailed: (event) => this.onLinkFailed?.(event),
      },
      { keys, gate, deadlineMs: options.linkDeadlineMs },
    );
    this.#sessions = this.#makeSessions(options);
    this.#qxl = new QxlDevices({ lost: (...what) => this.#channelLost(...what) });
    this.#setDisplays(options.displays);
    this.#channels.register(this.#inputsChannel(options));
    if (machine) this.attach(machine);
  }

  #makeAgent(): AgentDevice {
    const agent = new AgentDevice(this.#guest, this.#config.agentPolicy);
    agent.onWarning = (text) => this.log.log("warning", "agent", text);
    agent.onStateChange = (open) => {
      for (const { main } of this.#sessions.clients.all()) main.sendAgentState(open);
      this.#mouse.setAgent(open);
      this.onChange?.();
    };
    return agent;
  }

  #makeSessions({ connectivityIntervalMs, pingIntervalMs }: RedsOptions): Sessions {
    return new Sessions(
      {
        log: this.#log,
        config: this.#config,
        channels: this.#channels,
        agent: this.#agent,
        mouse: this.#mouse,
        dispatcher: this.dispatcher,
        turns: this.#turns,
        displays: () => this.#qxl.length,
        standing: () => this.#standing,
        linked: (peer, channel) => this.onLinked?.(peer, channel),
        changed: () => this.onChange?.(),
      },
      { connectivityIntervalMs, pingIntervalMs },
    );
  }

  /** Channels for that many devices. Clients that are there hear of new ones; those of devices that are gone end. */
  #setDisplays(displays = 1): void {
    while (this.#qxl.length > displays) {
      const device = this.#qxl.remove();
      const reason = "the machine has fewer displays now";
      for (const channel of device?.channels ?? []) {
        this.#channels.unregister(channel);
        for (const client of this.#sessions.clients.all()) channel.remove(client, reason);
        this.#mouse.setPrimary(undefined, channel.id);
      }
      // Behind the ends of its channels.
      device?.door.send("closeWorker", {});
      device?.door.close(reason);
    }
    while (this.#qxl.length < displays) {
      const { channels } = this.#qxl.add();
      for (const channel of channels) this.#channels.register(channel);
      for (const { main } of this.#sessions.clients.all()) main.sendChannelsList(channels);
    }
    this.#mouse.setDisplays(displays);
  }

  #channelLost(client: RedClient, channel: ClientChannel, reason: string): void {
    client.removeChannel(channel);
    const words = `${channel.name} channel of client ${client.id} was not taken: ${reason}`;
    this.log.log("warning", "reds", words);
    this.onChange?.();
  }

  #inputsChannel({ pingIntervalMs }: RedsOptions): InputsChannel {
    const say = (words: string) => this.log.log("info", "inputs", words);
    return new InputsChannel(
      this.hand,
      {
        inputDropped: (client, count) => this.#dropped.add(client, count),
        ended: (client, channel, unreadBytes, reason) => {
          if (unreadBytes > 0)
            say(`client ${client.id} left before ${unreadBytes} bytes of its input were read`);
          client.removeChannel(channel);
          say(`inputs channel of client ${client.id} ended: ${reason}`);
          this.onChange?.();
        },
      },
      { pingIntervalMs, turns: this.#turns },
    );
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
    if (display >= this.#qxl.length) return;
    qxl.send("setMouseMode", { mode: this.#mouse.current });
    this.#qxl.attach(qxl, display, this.#sessions.clients.all());
  }

  /** The machine's threads are gone, or about to go: what is for them waits, and nobody is disconnected. */
  detach(): void {
    this.#guest.shut();
    for (let display = 0; display < this.#qxl.length; display++) this.detachQxl(display);
    this.#agent.setOpen(false);
  }

  /** Pixels of a surface, after everything that the guest has drawn so far; waits while there is no red worker. */
  readSurface(surfaceId: number, display = 0): Promise<SurfacePixels> {
    return this.#qxl.readSurface(surfaceId, display);
  }

  /**
   * spice_server_vm_stop: the machine stands still. Resolves when its clients, who stay, have been sent all that it has drawn; who does not
   * take it in time is disconnected.
   */
  vmStop(): Promise<void> {
    return this.#qxl.stop();
  }

  /** A device's red worker alone is gone. */
  detachQxl(display = 0): void {
    this.#qxl.detach(display);
  }

  /** Password and name for new links, the agent's policy for messages from now on; sessions stay. @throws PasswordTooLong */
  configure(config: RedsConfig): void {
    this.#config.apply(config);
    this.#setDisplays(config.displays);
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
  /** Why the machine stands still, if it does. */
  get standing(): string | undefined {
    return this.#standing;
  }
  get passwordSet(): boolean {
    return this.#config.ticketing.required;
  }
  /** Connections in their link stage. */
  get links(): number {
    return this.#links.size;
  }
  clients(): HostClient[] {
    return this.#sessions.clients.all().map(hostClient);
  }

  /** Heads that the hosting page's own screen wants. */
  monitorsConfig(heads: readonly ClientHead[]): void {
    this.#agent.monitorsConfig(heads);
  }

  /** Its part of the ownership graph. */
  get inspection(): Pick<CoreInspection, "links" | "keys" | "channels" | "clients" | "leaving" | "queued"> {
    return {
      links: this.#links.size,
      keys: this.#keys.ready,
      channels: this.#channels.inspection,
      clients: this.#sessions.clients.all().map((client) => ({
        ...hostClient(client),
        disconnecting: client.disconnecting,
        channelClients: client.channels.map(({ inspection }) => inspection),
      })),
      leaving: this.#sessions.clients.disconnecting.map(({ id }) => id),
      queued: this.dispatcher.length,
    };
  }

  /** Input of a client, or of the tab's own screen, had to go. */
  set onInputDropped(listener: ((event: InputDropped) => void) | undefined) {
    this.#dropped.onDropped = listener;
  }

  // --- clients ---------------------------------------------------------------------------------------------------------

  /**
   * A new connection: one end of its RedStream, who is behind it, and a way to end it at its driver. Resolves when it became a channel
   * or was refused; never rejects, since nobody but that client is to blame.
   */
  accept(port: StreamPort, peer: StreamPeer, wire?: Wire): Promise<void> {
    return this.#links.accept(port, peer, wire);
  }

  /**
   * A client's connection that another server had, and that its relay kept: the channel goes on where that one left it. Never rejects: one
   * that cannot go on is closed.
   */
  resume(port: StreamPort, peer: StreamPeer, kept: LinkResume, wire?: Wire): Promise<void> {
    return this.#sessions.resume(port, peer, kept, wire);
  }

  /** Ends one session; its person is told why. Resolves when nothing of it is left. */
  kick(clientId: number, reason: string): Promise<void> {
    return this.#sessions.kick(clientId, reason);
  }

  /**
   * red_client_migrate: each channel of a client stops, behind MIGRATE, and gives it what its next server is to know. Under way when this
   * returns; the session lasts until the client ends it.
   */
  migrateClient(clientId: number): void {
    this.#sessions.migrate(clientId);
  }

  #primaryChanged(message: Payload<MainMessages, "primaryChanged">): void {
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
    for (const { main } of this.#sessions.clients.all()) main.notify(words, severity);
    this.log.log("message", "reds", words);
    this.onChange?.();
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** Tells every client why, then disconnects them all. Resolves when nothing of them is left. */
  async close(reason: string): Promise<void> {
    this.#links.close(reason);
    await this.#sessions.close(reason);
    this.dispatcher[Symbol.dispose]();
    this.#agent[Symbol.dispose]();
    this.hand[Symbol.dispose]();
    this.#guest.close(reason);
    this.#qxl.close(reason);
    this.#dropped[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close("the server is closing");
  }
}

function hostClient({ id, peer, channels, since }: RedClient): HostClient {
  const { address, transport } = peer;
  return { id, address, transport, channels: channels.map(({ name }) => name), since };
}

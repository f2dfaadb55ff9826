import type {
  GuestEvents,
  GuestMessages,
  LivenessRegistry,
  MainMessages,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { Dispatcher, TransferredAnswer, serveDispatcher } from "../dispatch/index.ts";
import type { StreamPeer } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import type {
  CoreStart,
  HostConfig,
  HostControlEvents,
  HostControlMessages,
  HostInspection,
  HostState,
  RelayState,
} from "./host-control.ts";
import { Reds } from "./reds.ts";
import type { WebSocketConstructor } from "./relay-connection.ts";
import { RelayConnection } from "./relay-connection.ts";
import { PasswordGate } from "./password-gate.ts";
import { TicketKeyPool } from "./ticket.ts";

export interface CoreOptions {
  readonly liveness: LivenessRegistry;
  readonly version: string;
  readonly webSocket?: WebSocketConstructor;
  readonly onLog?: (text: string) => void;
}

/** A page's machine: the dispatchers to its workers, and the server for it. */
interface Machine {
  readonly reds: Reds;
  readonly qxl: Dispatcher<RedWorkerMessages>;
  readonly events: Dispatcher<HostControlEvents>;
  readonly owned: Disposable[];
}

const DEFAULT_CONFIG: HostConfig = { name: "spicetab" };
const NO_MACHINE = "no machine is running in the hosting tab";

/**
 * The core thread's contents: the server of the present machine and the connection to the relay. A page hands it a machine by
 * {@link CoreStart}; a later page's machine replaces it; the death of the page or of one of its workers ends it, and the clients hear
 * why. The relay's connection and the ticket keys outlive machines.
 */
export class Core implements AsyncDisposable {
  readonly #options: CoreOptions;
  readonly #keys = new TicketKeyPool();
  /** Who guessed is not forgiven because another machine runs. */
  readonly #gate = new PasswordGate();
  readonly #hostId = crypto.randomUUID();
  #config: HostConfig = DEFAULT_CONFIG;
  #machine: Machine | undefined;
  #relay: RelayConnection | undefined;
  #relayState: RelayState = { state: "off" };
  #announced = false;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  /** Takes over a page's machine. */
  start(start: CoreStart): void {
    void this.#endMachine("another page took over hosting");
    const guest = new Dispatcher<GuestMessages>(start.guest, { peer: "guest" });
    const qxl = new Dispatcher<RedWorkerMessages>(start.red, { peer: "red" });
    const events = new Dispatcher<HostControlEvents>(start.control, { peer: "page" });
    const reds = new Reds({ guest, qxl }, this.#config, this.#keys, this.#gate);
    reds.onChange = () => this.#announce();
    reds.onLog = (text) => this.#options.onLog?.(text);
    reds.onLinked = ({ id }, channel) => {
      if (id !== undefined) this.#relay?.linked(id, channel);
    };
    reds.onLinkFailed = (event) => {
      events.send("linkFailed", event);
      const { peer, reason, failures, delayMs } = event;
      this.#relay?.linkFailed({ id: peer.id, address: peer.address, reason, failures, delayMs });
    };
    reds.onInputDropped = (event) => events.send("inputDropped", event);
    const machine: Machine = { reds, qxl, events, owned: [] };
    this.#machine = machine;
    // A dead thread answers nothing: what waits for it must fail now, not at its deadline.
    const died = (peers: readonly Dispatcher<never>[], reason: string) => () => {
      for (const peer of peers) peer.peerDied(reason);
      if (this.#machine === machine) void this.#endMachine(reason);
    };
    const { liveness } = this.#options;
    const onError = (type: string, error: unknown) =>
      this.#options.onLog?.(`"${type}" failed: ${error instanceof Error ? error.message : String(error)}`);
    machine.owned.push(
      serveDispatcher<GuestEvents>(
        start.guest,
        {
          agentState: ({ open }) => reds.agentState(open),
          agentData: ({ bytes }) => reds.agentData(bytes),
          tabletState: ({ enabled }) => reds.tabletState(enabled),
          leds: ({ modifiers }) => reds.leds(modifiers),
          power: ({ words, stands }) => reds.power(words, stands),
        },
        // A slow client holds up the agent, and nothing else that the guest reports.
        { onError, concurrent: ["agentData"] },
      ),
      serveDispatcher<MainMessages>(
        start.red,
        {
          channelClientDisconnected: (message) => reds.channelClientDisconnected(message),
          primaryChanged: (message) => reds.primaryChanged(message),
        },
        { onError },
      ),
      serveDispatcher<HostControlMessages>(start.control, this.#control(machine), {
        onError,
        // These wait for other threads or for clients; input must not wait with them.
        concurrent: [
          "kick",
          "inspect",
          "readSurface",
          "shutdown",
          "keyScancodes",
          "mouseMotion",
          "mousePosition",
        ],
      }),
      liveness.watchAlive(start.guestId, died([guest], "the virtual machine's thread ended")),
      liveness.watchAlive(start.redId, died([qxl], "the display thread ended")),
      // A page's workers die with it.
      liveness.watchAlive(start.pageId, died([guest, qxl, events], "the hosting tab was closed")),
      guest,
      qxl,
      events,
    );
    if (this.#config.compression !== undefined) {
      qxl.send("setCompression", { compression: this.#config.compression });
    }
    this.#updateRelay(undefined);
    this.#announce();
  }

  #control(machine: Machine): Parameters<typeof serveDispatcher<HostControlMessages>>[1] {
    const { reds, qxl } = machine;
    return {
      configure: (config) => this.#configure(config),
      state: () => this.#state(),
      takeOverRelay: () => this.#relay?.takeOver(),
      kick: ({ clientId, reason }) => reds.kick(clientId, reason ?? "the host disconnected you"),
      inspect: () => this.#inspect(machine),
      readSurface: async ({ surfaceId }) => {
        const answer = await qxl.call("readSurface", { surfaceId });
        return new TransferredAnswer(answer, [
          answer.pixels.buffer as ArrayBuffer,
        ]) as unknown as typeof answer;
      },
      keyScancodes: ({ bytes }) => reds.hand.localKeys(bytes),
      mouseMotion: ({ dx, dy, dz, buttons }) => reds.hand.localMotion(dx, dy, dz, buttons),
      mousePosition: ({ x, y, dz, buttons }) => reds.hand.localPosition(x, y, dz, buttons),
      monitorsConfig: ({ heads }) => reds.monitorsConfig(heads),
      shutdown: async ({ reason }) => {
        if (this.#machine === machine) await this.#endMachine(reason);
      },
    };
  }

  #configure(config: HostConfig): void {
    const before = this.#config;
    this.#machine?.reds.configure(config);
    this.#config = config;
    if (config.compression !== undefined && config.compression !== before.compression) {
      this.#machine?.qxl.send("setCompression", { compression: config.compression });
    }
    this.#updateRelay(before);
    this.#announce();
  }

  /** Keeps a connection to the configured relay exactly while there is a machine to serve. */
  #updateRelay(before: HostConfig | undefined): void {
    const url = this.#machine ? this.#config.relayUrl : undefined;
    const { name, relaySecret: secret = "" } = this.#config;
    const same =
      before !== undefined &&
      before.relayUrl === url &&
      before.name === name &&
      (before.relaySecret ?? "") === secret;
    if (this.#relay && same) return;
    this.#relay?.[Symbol.dispose]();
    this.#relay = undefined;
    if (!url) return;
    this.#relay = new RelayConnection({
      url,
      name,
      secret,
      version: this.#options.version,
      hostId: this.#hostId,
      webSocket: this.#options.webSocket,
      refusal: () => (this.#machine ? undefined : NO_MACHINE),
      onClient: ({ port, cut }, peer) => this.accept(port, peer, cut),
      onState: (state) => {
        this.#relayState = state;
        this.#announce();
      },
    });
  }

  /** A client's stream, from whichever driver; `cut` ends it there. */
  accept(port: MessagePort, peer: StreamPeer, cut?: (reason: string) => void): void {
    if (this.#machine) void this.#machine.reds.accept(port, peer, cut);
    else openRedStream(port).close(NO_MACHINE);
  }

  /** Resolves when the clients have heard why and are gone. */
  async #endMachine(reason: string): Promise<void> {
    const machine = this.#machine;
    if (!machine) return;
    this.#machine = undefined;
    this.#options.onLog?.(`the machine ends: ${reason}`);
    await machine.reds.close(reason);
    if (!this.#machine) this.#updateRelay(undefined);
    // Whoever asked for the end still gets its answer over one of these ports.
    setTimeout(() => {
      for (const one of machine.owned) one[Symbol.dispose]();
    });
  }

  #state(): HostState {
    const reds = this.#machine?.reds;
    return {
      relay: this.#relayState,
      clients: reds?.clients() ?? [],
      mouseMode: reds?.mouseMode ?? 1,
      absolutePointer: reds?.absolutePointer ?? false,
      agentConnected: reds?.agentConnected ?? false,
      leds: reds?.hand.shownLeds ?? 0,
      passwordSet: reds?.passwordSet ?? false,
    };
  }

  async #inspect(machine: Machine): Promise<HostInspection> {
    const { reds } = machine;
    return {
      core: {
        links: reds.links,
        clients: reds.clients().map((client) => ({
          ...client,
          sentBytes: reds.sentBytes(client.id),
          pipes: client.channels.length,
        })),
        keys: reds.readyKeys,
      },
      red: await machine.qxl.call("inspect", {}).catch(() => undefined),
    };
  }

  /** Tells the page, once per turn however much changed. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      const state = this.#state();
      this.#machine?.events.send("stateChanged", state);
      this.#relay?.status(state.clients.length, this.#machine?.reds.standing);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endMachine("the server ends");
    this.#gate[Symbol.dispose]();
  }
}

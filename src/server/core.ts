import type {
  GuestEvents,
  GuestMessages,
  LivenessRegistry,
  MainMessages,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { Dispatcher, TransferredAnswer, serveDispatcher } from "../dispatch/index.ts";
import type { StreamPeer } from "../transport/index.ts";
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

/**
 * The core thread's contents: the server of the present machine and the connection to the relay. A page hands it a machine by
 * {@link CoreStart}; a later page's machine replaces it; the death of the page or of one of its workers ends it, and the clients hear
 * why. The relay's connection and the ticket keys outlive machines.
 */
export class Core {
  readonly #options: CoreOptions;
  readonly #keys = new TicketKeyPool();
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
    this.#endMachine("another page took over hosting");
    const guest = new Dispatcher<GuestMessages>(start.guest, { peer: "guest" });
    const qxl = new Dispatcher<RedWorkerMessages>(start.red, { peer: "red" });
    const events = new Dispatcher<HostControlEvents>(start.control, { peer: "page" });
    const reds = new Reds({ guest, qxl }, this.#config, this.#keys);
    reds.onChange = () => this.#announce();
    reds.onLog = (text) => this.#options.onLog?.(text);
    const machine: Machine = { reds, qxl, events, owned: [] };
    this.#machine = machine;
    const ended = (who: string) => () => {
      if (this.#machine === machine) this.#endMachine(who);
    };
    const { liveness } = this.#options;
    machine.owned.push(
      serveDispatcher<GuestEvents>(start.guest, {
        agentState: ({ open }) => reds.agentState(open),
        agentData: async ({ bytes }) => reds.agentData(bytes),
        tabletState: ({ enabled }) => reds.tabletState(enabled),
        leds: ({ modifiers }) => reds.leds(modifiers),
      }),
      serveDispatcher<MainMessages>(start.red, {
        channelClientDisconnected: (message) => reds.channelClientDisconnected(message),
        primaryChanged: (message) => reds.primaryChanged(message),
      }),
      serveDispatcher<HostControlMessages>(start.control, this.#control(machine)),
      liveness.watchAlive(start.guestId, ended("the virtual machine's thread ended")),
      liveness.watchAlive(start.redId, ended("the display thread ended")),
      liveness.watchAlive(start.pageId, ended("the hosting tab was closed")),
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
      kick: ({ clientId, reason }) => reds.kick(clientId, reason ?? "the host disconnected you"),
      inspect: () => this.#inspect(machine),
      readSurface: async ({ surfaceId }) => {
        const answer = await qxl.call("readSurface", { surfaceId });
        return new TransferredAnswer(answer, [
          answer.pixels.buffer as ArrayBuffer,
        ]) as unknown as typeof answer;
      },
      keyScancodes: ({ bytes }) => reds.keyScancodes(bytes),
      mouseMotion: ({ dx, dy, dz, buttons }) => reds.localMotion(dx, dy, dz, buttons),
      mousePosition: ({ x, y, dz, buttons }) => reds.localPosition(x, y, dz, buttons),
      shutdown: ({ reason }) => {
        if (this.#machine === machine) this.#endMachine(reason);
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
    const same = before !== undefined && before.relayUrl === url && before.name === this.#config.name;
    if (this.#relay && same) return;
    this.#relay?.[Symbol.dispose]();
    this.#relay = undefined;
    if (!url) return;
    this.#relay = new RelayConnection({
      url,
      name: this.#config.name,
      version: this.#options.version,
      hostId: this.#hostId,
      webSocket: this.#options.webSocket,
      onClient: (port, peer) => this.accept(port, peer),
      onState: (state) => {
        this.#relayState = state;
        this.#announce();
      },
    });
  }

  /** A client's stream, from whichever driver. */
  accept(port: MessagePort, peer: StreamPeer): void {
    if (this.#machine) void this.#machine.reds.accept(port, peer);
    else port.close();
  }

  #endMachine(reason: string): void {
    const machine = this.#machine;
    if (!machine) return;
    this.#machine = undefined;
    this.#options.onLog?.(`the machine ends: ${reason}`);
    // The clients hear why; only then do the ports to the workers close and the relay lose its host.
    void machine.reds.close(reason).finally(() => {
      for (const one of machine.owned) one[Symbol.dispose]();
      if (!this.#machine) this.#updateRelay(undefined);
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
      this.#relay?.status(state.clients.length);
    });
  }
}

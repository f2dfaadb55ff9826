import type { Log } from "../log/index.ts";
import { LogRing, failureLogger } from "../log/index.ts";
import type {
  GuestEvents,
  GuestMessages,
  Handlers,
  LivenessRegistry,
  MainMessages,
  Payload,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { Dispatcher, TransferredAnswer } from "../dispatch/index.ts";
import type { LinkResume } from "../relay-control/index.ts";
import type { StreamPeer, StreamPort, Turns, Wire } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import type {
  CoreInspection,
  CoreStart,
  HostConfig,
  HostControlEvents,
  HostControlMessages,
  HostState,
  RelayState,
} from "./host-control.ts";
import { DETACH_GRACE_MS } from "./limits.ts";
import { Reds } from "./reds.ts";
import type { WebSocketConstructor } from "./relay-connection.ts";
import { RelayConnection } from "./relay-connection.ts";
import { STATE_PAUSE_MS } from "./limits.ts";
import { PasswordGate } from "./password-gate.ts";
import { TicketKeyPool } from "./ticket.ts";

export interface CoreOptions {
  readonly liveness: LivenessRegistry;
  readonly version: string;
  readonly webSocket?: WebSocketConstructor;
  /** Hears all that the thread's own log hears, and at once. */
  readonly log?: Log;
  /** Milliseconds; see DETACH_GRACE_MS. */
  readonly detachGraceMs?: number;
  /** Who has which turn on this thread; by default all share one order. */
  readonly turns?: Turns;
}

/** A page's machine: the dispatchers to its workers and to the page. */
interface Machine {
  /** By display; undefined while a red worker is being replaced, and where the guest drives no such display. */
  readonly reds: (RedThread | undefined)[];
  readonly guest: Dispatcher<GuestMessages, GuestEvents>;
  readonly page: Dispatcher<HostControlEvents, HostControlMessages>;
  readonly owned: Disposable[];
}

/** What is held of a red worker. */
interface RedThread {
  readonly qxl: Dispatcher<RedWorkerMessages, MainMessages>;
  readonly owned: Disposable[];
}

const DEFAULT_CONFIG: HostConfig = { name: "spicetab" };
const NO_MACHINE = "no machine is running in the hosting tab";

/**
 * The core thread's contents: the server and the connection to the relay. A page hands it a machine by {@link CoreStart}. When the
 * page goes, or one of its workers dies, or another page takes over, the machine is detached: the sessions stay, their input and what
 * is to be drawn for them wait, and the next machine goes on with them. If none comes within {@link DETACH_GRACE_MS}, or when the page
 * says that it ends, the clients hear why and are gone. Ticket keys and the memory for wrong passwords outlive all of that.
 */
export class Core implements AsyncDisposable {
  readonly #options: CoreOptions;
  readonly #ring = new LogRing({
    tell: (entries) => {
      this.#machine?.page.send("log", { entries });
      return this.#machine !== undefined;
    },
  });
  readonly #log: Log = {
    log: (level, domain, words) => {
      this.#ring.log(level, domain, words);
      this.#options.log?.log(level, domain, words);
    },
  };
  readonly #keys = new TicketKeyPool();
  /** Who guessed is not forgiven because another machine runs. */
  readonly #gate = new PasswordGate();
  readonly #hostId = crypto.randomUUID();
  #config: HostConfig = DEFAULT_CONFIG;
  #reds: Reds | undefined;
  #machine: Machine | undefined;
  /** Runs while there are sessions and no machine. */
  #grace: ReturnType<typeof setTimeout> | undefined;
  #relay: RelayConnection | undefined;
  #relayState: RelayState = { state: "off" };
  #announced = false;
  /** The last start that was asked for. */
  #started: Promise<void> = Promise.resolve();
  /** Since the state was told last. */
  #clientsChanged = false;
  #statePause: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  /**
   * Takes over a page's machine, and with it whatever sessions there are: in the order in which it is called, and never the machine of a
   * page that is gone. Each page has a port of its own, so what a dead one has said may come behind the words of the living one that has
   * followed it.
   */
  start(start: CoreStart): Promise<void> {
    this.#started = this.#started.then(async () => {
      const ids = [start.pageId, start.guestId];
      const looks = ids.map((id) => this.#options.liveness.isAlive(id));
      // Who cannot look takes the page's word: a death is told all the same.
      const alive = await Promise.all(looks).catch(() => [true]);
      if (alive.every(Boolean)) return this.#start(start);
      this.#log.log("info", "core", "the machine of a page that is gone is not taken");
      for (const port of [start.control, start.guest, start.red]) port.close();
    });
    return this.#started;
  }

  #start(start: CoreStart): void {
    if (this.#machine) this.#detach(this.#machine, "another page took over hosting");
    clearTimeout(this.#grace);
    const alive = this.#options.liveness.holdAlive(start.coreId);
    const onError = failureLogger(this.#log);
    const reds = (this.#reds ??= this.#makeReds());
    const guest = new Dispatcher<GuestMessages, GuestEvents>(start.guest, {
      peer: "guest",
      handlers: {
        agentState: ({ open }) => reds.agentState(open),
        agentData: ({ bytes }) => reds.agentData(bytes),
        tabletState: ({ enabled, reach }) => reds.tabletState(enabled, reach),
        leds: ({ modifiers }) => reds.leds(modifiers),
        power: ({ words, stands }) => reds.power(words, stands),
      },
      // A slow client holds up the agent, and nothing else that the guest reports.
      concurrent: ["agentData"],
      onError,
    });
    const page = new Dispatcher<HostControlEvents, HostControlMessages>(start.control, {
      peer: "page",
      handlers: this.#control(() => machine, reds),
      // These wait for other threads or for clients; input must not wait with them.
      concurrent: [
        "kick",
        "inspect",
        "readSurface",
        "vmStop",
        "shutdown",
        "release",
        "keyScancodes",
        "mouseMotion",
        "mousePosition",
      ],
      onError,
    });
    const machine: Machine = { reds: [], guest, page, owned: [alive, guest, page] };
    this.#machine = machine;
    // A new page has heard nothing yet.
    this.#ring.tellAll();
    // A dead thread answers nothing: what waits for it must fail now, not at its deadline.
    const died = (peers: readonly Dispatcher<never>[], reason: string) => () => {
      for (const peer of peers) peer.peerDied(reason);
      if (this.#machine === machine) this.#detach(machine, reason);
    };
    const { liveness } = this.#options;
    machine.owned.push(
      liveness.watchAlive(start.guestId, died([guest], "the virtual machine's thread ended")),
      // A page's workers die with it.
      liveness.watchAlive(start.pageId, () => {
        for (const red of machine.reds) red?.qxl.peerDied("the hosting tab was closed");
        died([guest, page], "the hosting tab was closed")();
      }),
    );
    const red = this.#openRed(machine, reds, start, 0);
    reds.attach({ guest, qxl: red.qxl });
    this.#updateRelay(this.#config);
    this.#announce();
  }

  /** A red worker of the machine, the first or one in the place of another that died. */
  #openRed(
    machine: Machine,
    reds: Reds,
    { red: port, redId }: Pick<CoreStart, "red" | "redId">,
    display: number,
  ): RedThread {
    const sender = reds.dispatcher.sender();
    const qxl = new Dispatcher<RedWorkerMessages, MainMessages>(port, {
      peer: "red",
      handlers: sender.handlers,
      onError: failureLogger(this.#log),
    });
    const red: RedThread = {
      qxl,
      owned: [
        this.#options.liveness.watchAlive(redId, () =>
          this.#redDied(machine, red, display, "the display thread ended"),
        ),
        sender,
        qxl,
      ],
    };
    machine.reds[display] = red;
    if (this.#config.compression !== undefined)
      qxl.send("setCompression", { compression: this.#config.compression });
    return red;
  }

  /** The guest and the sessions' other channels go on; what is drawn for them waits for the next red worker. */
  #redDied(machine: Machine, red: RedThread, display: number, reason: string): void {
    for (const one of red.owned) one[Symbol.dispose]();
    if (machine.reds[display] !== red) return;
    machine.reds[display] = undefined;
    if (this.#machine !== machine) return;
    this.#log.log("warning", "core", reason);
    this.#reds?.detachQxl(display);
    this.#startGrace(reason);
    this.#announce();
  }

  #replaceRed(
    machine: Machine,
    reds: Reds,
    { display = 0, ...start }: Payload<HostControlMessages, "replaceRed">,
  ): void {
    const old = machine.reds[display];
    if (old) this.#redDied(machine, old, display, "the display thread is replaced");
    const { qxl } = this.#openRed(machine, reds, start, display);
    if (this.#machine !== machine) return;
    clearTimeout(this.#grace);
    reds.attachQxl(qxl, display);
    this.#announce();
  }

  #makeReds(): Reds {
    const reds = new Reds(undefined, { ...this.#config, turns: this.#options.turns }, this.#keys, this.#gate);
    reds.onChange = () => this.#announceClients();
    reds.log = this.#log;
    reds.onLinked = ({ id }, channel) => {
      if (id !== undefined) this.#relay?.linked(id, channel);
    };
    reds.onLinkFailed = (event) => {
      this.#machine?.page.send("linkFailed", event);
      const { peer, code, failures, delayMs } = event;
      this.#relay?.linkFailed({ id: peer.id, address: peer.address, reason: code, failures, delayMs });
    };
    reds.onInputDropped = (event) => this.#machine?.page.send("inputDropped", event);
    return reds;
  }

  /** @param machine whose page it is; asked only once it exists. */
  #control(machine: () => Machine, reds: Reds): Handlers<HostControlMessages> {
    return {
      configure: (config) => this.#configure(config),
      state: () => this.#state(),
      takeOverRelay: () => this.#relay?.takeOver(),
      kick: ({ clientId, reason }) => reds.kick(clientId, reason ?? "the host disconnected you"),
      inspect: () => this.#inspect(reds),
      readSurface: async ({ surfaceId, display }) => {
        const answer = await reds.readSurface(surfaceId, display);
        return new TransferredAnswer(answer, [
          answer.pixels.buffer as ArrayBuffer,
        ]) as unknown as typeof answer;
      },
      keyScancodes: ({ bytes }) => reds.hand.localKeys(bytes),
      mouseMotion: ({ dx, dy, dz, buttons }) => reds.hand.localMotion(dx, dy, dz, buttons),
      mousePosition: ({ x, y, dz, buttons, displayId }) =>
        reds.hand.localPosition(x, y, dz, buttons, displayId),
      vmStop: () => reds.vmStop(),
      monitorsConfig: ({ heads }) => reds.monitorsConfig(heads),
      replaceRed: (start) => this.#replaceRed(machine(), reds, start),
      release: ({ reason }) => {
        if (this.#machine === machine()) this.#detach(machine(), reason);
      },
      shutdown: async ({ reason }) => {
        if (this.#machine === machine()) await this.#end(reason);
      },
    };
  }

  #configure(config: HostConfig): void {
    const before = this.#config;
    this.#reds?.configure(config);
    this.#config = config;
    if (config.compression !== undefined && config.compression !== before.compression) {
      for (const red of this.#machine?.reds ?? [])
        red?.qxl.send("setCompression", { compression: config.compression });
    }
    this.#updateRelay(before);
    this.#announce();
  }

  /** Keeps a connection to the configured relay exactly while there is a server. */
  #updateRelay(before: HostConfig | undefined): void {
    const url = this.#reds ? this.#config.relayUrl : undefined;
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
      refusal: () => (this.#reds ? undefined : NO_MACHINE),
      onClient: (joined, peer, resume) => this.accept(joined.port, peer, joined, resume),
      onState: (state) => {
        this.#relayState = state;
        this.#announce();
      },
    });
  }

  /** A client's stream, from whichever driver, and the wire that it travels on. `resume`: another server had it before. */
  accept(port: StreamPort, peer: StreamPeer, wire?: Wire, resume?: LinkResume): void {
    if (this.#reds && resume) void this.#reds.resume(port, peer, resume, wire);
    else if (this.#reds) void this.#reds.accept(port, peer, wire);
    else openRedStream(port).close(NO_MACHINE);
  }

  /** As {@link Reds.migrateClient}: for whoever moves a machine, which brings its clients to the next server. */
  migrateClient(clientId: number): void {
    this.#reds?.migrateClient(clientId);
  }

  /** The machine goes; its sessions wait for the next one. */
  #detach(machine: Machine, reason: string): void {
    this.#log.log("warning", "core", `the machine is gone: ${reason}`);
    this.#machine = undefined;
    this.#reds?.detach();
    // What is under way from its threads must not be taken for a word about the next machine: a red worker tells that the streams ended
    // which the next one has taken over.
    for (const one of [machine.guest, ...machine.reds.flatMap((red) => red?.owned ?? [])])
      one[Symbol.dispose]();
    this.#startGrace(reason);
    this.#disposeLater(machine);
    this.#announce();
  }

  #startGrace(reason: string): void {
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => void this.#end(reason), this.#options.detachGraceMs ?? DETACH_GRACE_MS);
  }

  /** Resolves when the clients have heard why and are gone. */
  async #end(reason: string): Promise<void> {
    clearTimeout(this.#grace);
    const { machine, reds } = { machine: this.#machine, reds: this.#reds };
    this.#machine = this.#reds = undefined;
    if (!reds) return;
    this.#log.log("message", "core", `the server ends: ${reason}`);
    await reds.close(reason);
    if (!this.#reds) this.#updateRelay(undefined);
    if (machine) this.#disposeLater(machine);
  }

  /** Whoever asked for the end still gets its answer over one of these ports. */
  #disposeLater(machine: Machine): void {
    setTimeout(() => {
      for (const one of [...machine.owned, ...machine.reds.flatMap((red) => red?.owned ?? [])])
        one[Symbol.dispose]();
    });
  }

  #state(): HostState {
    const reds = this.#reds;
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

  /** What this thread has, at this moment; undefined while there is no server. */
  graph(): CoreInspection | undefined {
    return this.#reds && this.#inspect(this.#reds);
  }

  /** Asks nobody else: a thread that hangs must not hold up what is said of the others. */
  #inspect(reds: Reds): CoreInspection {
    const { guest, page, reds: workers = [] } = this.#machine ?? {};
    const red = (worker: RedThread | undefined, display: number) =>
      worker && [{ ...worker.qxl.inspection, peer: display === 0 ? "red" : `red ${display}` }];
    return {
      ...reds.inspection,
      relay: this.#relayState.state,
      dispatchers: [
        ...[page, guest].flatMap((one) => (one ? [one.inspection] : [])),
        ...Array.from(workers, red).flatMap((one) => one ?? []),
      ],
      log: this.#ring.entries,
    };
  }

  /** Tells the page, once per turn however much changed. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    queueMicrotask(() => {
      this.#announced = false;
      const state = this.#state();
      this.#machine?.page.send("stateChanged", state);
      this.#relay?.status(state.clients.length, this.#standing);
    });
  }

  /** The same for what clients may change as often as they like: not again before a pause. */
  #announceClients(): void {
    this.#clientsChanged = true;
    if (this.#statePause !== undefined) return;
    this.#clientsChanged = false;
    this.#announce();
    this.#statePause = setTimeout(() => {
      this.#statePause = undefined;
      if (this.#clientsChanged) this.#announceClients();
    }, STATE_PAUSE_MS);
  }

  /** Why nothing moves on the screens of those who are connected. */
  get #standing(): string | undefined {
    if (this.#reds && !this.#machine?.reds[0])
      return "The page that runs the machine is away; it is waited for.";
    return this.#reds?.standing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started;
    await this.#end("the server ends");
    clearTimeout(this.#statePause);
    this.#gate[Symbol.dispose]();
    this.#ring[Symbol.dispose]();
  }
}

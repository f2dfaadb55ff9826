import type { RedChannelClient } from "../../channel/index.ts";
import type { Dispatcher, DispatcherInspection, Handlers, RedInspection } from "../../dispatch/index.ts";
import type {
  ChannelConnect,
  MainMessages,
  RedWorkerMessages,
  SurfacePixels,
} from "../../dispatch/messages.ts";
import { PeerDied } from "../../dispatch/index.ts";
import { errorText } from "../../errors/index.ts";
import type { ImageCodecs } from "../../image/index.ts";
import type { Log } from "../../log/index.ts";
import { ChannelType, DisplayCap, ImageCompression } from "../../protocol/index.ts";
import type { Steps } from "../../raster/index.ts";
import { CostMeter } from "../../raster/index.ts";
import type { RedCommand, RedCommandBatch, RedCommandReply } from "../../protocol/red-command.ts";
import type { Turns } from "../../transport/index.ts";
import { CanvasClient } from "../screen/canvas-client.ts";
import type { QueueItem } from "./command-queue.ts";
import { CommandQueue } from "./command-queue.ts";
import { CursorChannel } from "../screen/cursor-channel.ts";
import { DisplayChannel } from "../display/display-channel.ts";
import type { DisplayTimeouts } from "../display/display-channel.ts";
import { COMMAND_COST, CURSOR_PIXEL_COST, LIFE_CYCLE_COST, PIPE_STALL_MS, SLICE_COST } from "../limits.ts";
import { NoSuchSurface, RedCommandError } from "../red-error.ts";
import { Scheduler } from "./scheduler.ts";
import { StopFlush } from "./stop-flush.ts";

/** How a red worker is made. */
export interface RedWorkerOptions {
  /** Number of its display and cursor channels: that of the QXL device. */
  readonly channelId: number;
  /** Core's MainDispatcher, or whoever wants to hear. Only sent to, never waited for. */
  readonly main: Pick<Dispatcher<MainMessages>, "send">;
  /** Image codecs, and the heap that surfaces live in; by default those in plain TypeScript. */
  readonly codecs?: ImageCodecs;
  /** Milliseconds a client's long pipe may hold up the guest; defaults to {@link PIPE_STALL_MS}. */
  readonly pipeStallMs?: number;
  readonly timeouts?: DisplayTimeouts;
  /** Who else reads on this thread; by default all share one order. */
  readonly turns?: Turns;
  /** Cost units of a slice, and of the largest piece of a drawing; default {@link SLICE_COST} and BAND_COST. */
  readonly sliceCost?: number;
  readonly bandCost?: number;
  readonly log?: Log;
  /** Who asks it, for {@link RedWorker.inspect}. */
  readonly dispatchers?: () => readonly DispatcherInspection[];
}

interface ConnectedClient {
  readonly clientId: number;
  readonly channelType: number;
  readonly client: RedChannelClient;
}

/** Bytes of QXLRom.client_capabilities. */
const ROM_CAPABILITY_BYTES = 58;

/** Capabilities the guest may build on if every client has them. COMPOSITE and A8 surfaces are not drawn here, so never offered. */
const guestCapabilities: readonly number[] = [DisplayCap.SizedStream, DisplayCap.MonitorsConfig];

/**
 * One QXL device's thread (spice-server's RedWorker): takes drawing and cursor commands in order, renders them, and feeds the clients
 * of its two channels. Never waits for core. Owns channels, clients, surfaces and the command port.
 *
 * It works in slices, between which its thread does what else there is: messages of clients, timers, core's calls. A command that
 * costs more is laid aside half done and is the first to go on; the next command, and what waits for all commands before it
 * (`readSurface`), comes when it is finished. Connects, disconnects and messages of clients do not wait for it: they change who is sent
 * something, never what is drawn.
 */
export class RedWorker implements Disposable {
  /** Messages that wait for the guest's commands or for clients: what comes behind must not wait with them. */
  static readonly concurrent = ["readSurface", "stop"] as const;
  readonly display: DisplayChannel;
  readonly cursor = new CursorChannel();
  readonly #options: RedWorkerOptions;
  readonly #clients = new Set<ConnectedClient>();
  readonly #queue = new CommandQueue();
  readonly #scheduler = new Scheduler(() => this.#runSlice());
  readonly #meter: CostMeter;
  /** What was begun and laid aside. */
  #underWay: { readonly steps: Steps; readonly name: string; readonly cancel?: () => void } | undefined;
  #clientsFirst = false;
  #commandPort: MessagePort | undefined;
  #canvas: CanvasClient | undefined;
  readonly #flush = new StopFlush({
    isDone: () => this.#isFlushed(),
    giveUp: () => this.#disconnectWhoHolds(),
  });
  #closed = false;
  #stall: ReturnType<typeof setTimeout> | undefined;
  #commands = 0;
  #slices = 0;
  #largestSlice = 0;
  /** Capabilities last told to the guest, as text. */
  #announced = "";
  /** Commands that made no sense and were left out. */
  droppedCommands = 0;

  constructor(options: RedWorkerOptions) {
    this.#options = options;
    this.#meter = new CostMeter(options.sliceCost ?? SLICE_COST, options.bandCost);
    this.display = new DisplayChannel({
      codecs: options.codecs,
      timeouts: options.timeouts,
      turns: options.turns,
      meter: this.#meter,
    });
    this.display.onWaiting = () => this.#scheduler.schedule();
    this.display.onPrimaryChanged = (surface, mouseMode) => {
      options.main.send("primaryChanged", {
        channelId: options.channelId,
        active: surface !== undefined,
        width: surface?.width ?? 0,
        height: surface?.height ?? 0,
        mouseMode,
      });
    };
    this.cursor.onChange = (state) => this.#canvas?.cursorChanged(state, this.cursor.mouseMode);
  }

  /** What the QxlDispatcher's port serves. */
  get handlers(): Handlers<RedWorkerMessages> {
    return {
      attachCommands: ({ port }) => this.attachCommands(port),
      connect: (message) => this.connect(message),
      disconnectClient: ({ clientId, channelType }) => this.disconnectClient(clientId, channelType),
      migrateClient: ({ clientId, channelType }) => this.migrateClient(clientId, channelType),
      stop: () => this.stop(),
      resetImageCache: () => this.display.resetImageCache(),
      resetCursor: () => this.resetCursor(),
      closeWorker: () => this[Symbol.dispose](),
      setMouseMode: ({ mode }) => {
        this.cursor.mouseMode = mode;
      },
      setCompression: ({ compression }) => {
        if (compression < ImageCompression.Off || compression > ImageCompression.Lz4)
          throw new RangeError(`image compression ${compression} does not exist`);
        this.display.compression = compression;
      },
      attachCanvas: ({ canvas, events }) => this.attachCanvas(canvas, events),
      readSurface: ({ surfaceId }) => this.readSurface(surfaceId),
      inspect: () => this.inspect(),
    };
  }

  /** The guest's commands come from this port from now on. What came from an earlier one is still carried out. */
  attachCommands(port: MessagePort): void {
    this.#closeCommandPort();
    if (this.#closed) return port.close();
    this.#commandPort = port;
    port.onmessage = (event: MessageEvent<RedCommandBatch>) => {
      const batch = event.data;
      if (batch?.type !== "commands") return;
      this.#queue.push(batch, () => this.#reply(port, { type: "credit", bytes: batch.bytes }));
      this.#scheduler.schedule();
    };
    this.#announceCapabilities(true);
  }

  #reply(port: MessagePort, reply: RedCommandReply): void {
    if (port === this.#commandPort) port.postMessage(reply);
  }

  /** A linked client of the display or the cursor channel. A second one of the same client replaces the first. */
  connect(message: ChannelConnect): void {
    const { clientId, channelType } = message;
    if (this.#closed) {
      message.port.close();
      throw new PeerDied("red", "it was closed");
    }
    if (channelType !== ChannelType.Display && channelType !== ChannelType.Cursor)
      throw new RangeError(`a red worker has no channel of type ${channelType}`);
    this.disconnectClient(clientId, channelType);
    let entry: ConnectedClient | undefined;
    const gone = (reason: string): void => {
      // A client that core itself disconnects is taken off the list before.
      if (entry === undefined || !this.#clients.delete(entry)) return;
      const { channelId } = this.#options;
      this.#options.main.send("channelClientDisconnected", { clientId, channelType, channelId, reason });
      this.#clientsChanged();
    };
    const client =
      channelType === ChannelType.Display
        ? this.display.connect(message, gone, () => this.#progress())
        : this.cursor.connect(message, () => this.#isSimple(clientId), gone, {
            stallTimeoutMs: this.#options.timeouts?.stallMs,
            turns: this.#options.turns,
          });
    client.onProgress = () => this.#progress();
    entry = { clientId, channelType, client };
    if (client.connected) this.#clients.add(entry);
    else
      this.#options.main.send("channelClientDisconnected", {
        clientId,
        channelType,
        channelId: this.#options.channelId,
        reason: "the client misbehaved at once",
      });
    this.#clientsChanged();
  }

  /** When this returns, that channel client holds no queue, no timer, no stream. */
  disconnectClient(clientId: number, channelType: number): void {
    for (const entry of this.#clients) {
      if (entry.clientId !== clientId || entry.channelType !== channelType) continue;
      this.#clients.delete(entry);
      entry.client.disconnect("the server disconnected this client");
    }
    this.#clientsChanged();
  }

  /** Resolves when all that has come is carried out and has gone out, or who held that up is gone. */
  stop(): Promise<void> {
    return this.#flush.done();
  }

  #isFlushed(): boolean {
    if (this.#queue.length > 0 || this.#underWay !== undefined) return false;
    for (const { client } of this.#clients) if (client.pipe.length > 0) return false;
    return true;
  }

  #disconnectWhoHolds(): void {
    for (const { client } of this.#clients)
      if (client.pipe.length > 0) client.disconnect("the client took too long when the machine stopped");
  }

  /** On its own, in no order with the guest's commands. */
  resetCursor(): void {
    this.cursor.process({ type: "cursorReset" }, new Uint8Array(0));
  }

  /** Under way when this returns. */
  migrateClient(clientId: number, channelType: number): void {
    for (const entry of this.#clients)
      if (entry.clientId === clientId && entry.channelType === channelType) entry.client.migrate();
    this.#progress();
  }

  /** Whether this client's display is that of a client without off-screen surfaces, which has a simple cursor, too. */
  #isSimple(clientId: number): boolean {
    for (const client of this.display.clients) {
      if (client.profile === "limited" && this.#isClient(client, clientId)) return true;
    }
    return false;
  }

  #isClient(client: RedChannelClient, clientId: number): boolean {
    for (const entry of this.#clients)
      if (entry.client === client && entry.clientId === clientId) return true;
    return false;
  }

  #clientsChanged(): void {
    this.#announceCapabilities();
    this.#progress();
  }

  /** set_client_capabilities: what all display clients have in common. The tab's own canvas takes pixels and restricts nothing. */
  #announceCapabilities(always = false): void {
    const clients = [...this.display.clients];
    const present = clients.length > 0;
    const common = guestCapabilities.filter(
      (bit) => present && clients.every((client) => client.hasCapability(bit)),
    );
    const announced = `${present} ${common}`;
    if (this.#commandPort === undefined || (announced === this.#announced && !always)) return;
    this.#announced = announced;
    const capabilities = new Uint8Array(ROM_CAPABILITY_BYTES);
    for (const bit of common) capabilities[bit >> 3] |= 1 << (bit & 7);
    this.#reply(this.#commandPort, { type: "clientCapabilities", present, capabilities });
  }

  attachCanvas(canvas: OffscreenCanvas, events?: MessagePort): void {
    this.#canvas = new CanvasClient(canvas, events);
    this.display.pixelClient = this.#canvas;
    this.#canvas.cursorChanged(this.cursor.state, this.cursor.mouseMode);
  }

  /** The surface after all commands received so far. @throws NoSuchSurface */
  readSurface(surfaceId: number): Promise<SurfacePixels> {
    return new Promise((resolve, reject) => {
      const { display } = this;
      const start = function* (): Steps {
        try {
          resolve(yield* display.readSurface(surfaceId));
        } catch (error) {
          reject(error);
        }
      };
      this.#queue.pushTask({ start, cancel: () => reject(new NoSuchSurface(surfaceId)) });
      this.#scheduler.schedule();
    });
  }

  inspect(): RedInspection {
    return {
      surfaces: Array.from(this.display.surfaces, ({ id, width, height, format }) => ({
        id,
        width,
        height,
        format,
      })),
      clients: Array.from(this.#clients, ({ clientId, channelType, client }) => ({
        clientId,
        channelType,
        ...client.inspection,
      })),
      commands: this.#commands,
      queuedCommands: this.#queue.length,
      dispatchers: this.#options.dispatchers?.() ?? [],
    };
  }

  /** Slices so far: how often the thread came back to this worker's commands; and the cost units of the largest. */
  get slices(): { readonly count: number; readonly largest: number } {
    return { count: this.#slices, largest: this.#largestSlice };
  }

  /** Whether something was begun and is laid aside. */
  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** One slice. Clients that wait to send and the guest's commands are first in turns, so that neither starves the other. */
  #runSlice(): void {
    this.#slices++;
    const cost = this.#options.sliceCost ?? SLICE_COST;
    this.#meter.left = cost;
    this.#clientsFirst = !this.#clientsFirst;
    if (this.#clientsFirst) this.display.pushWaiting();
    this.#process();
    if (!this.#clientsFirst) this.display.pushWaiting();
    this.#flush.look();
    this.#largestSlice = Math.max(this.#largestSlice, cost - this.#meter.left);
  }

  /** Carries out commands until there are none, a client's pipe is too long, or the slice is used up. */
  #process(): void {
    while (!this.#meter.isSpent) {
      if (this.#underWay !== undefined) {
        this.#goOn();
        continue;
      }
      if (this.display.isBlocked) return this.#holdGuest();
      const next = this.#queue.take();
      if (next === undefined) return;
      this.#begin(next);
    }
    this.#scheduler.schedule();
  }

  #holdGuest(): void {
    this.#stall ??= setTimeout(() => {
      this.#stall = undefined;
      this.display.unblock();
      this.#scheduler.schedule();
    }, this.#options.pipeStallMs ?? PIPE_STALL_MS);
  }

  /** A pipe became shorter, or a client went: perhaps the guest may go on. */
  #progress(): void {
    this.#flush.look();
    if (this.#stall === undefined || this.display.isBlocked) return;
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.#scheduler.schedule();
  }

  #begin(next: QueueItem): void {
    if (next.task !== undefined) {
      this.#underWay = { steps: next.task.start(), name: "a task", cancel: next.task.cancel };
      return;
    }
    const { command, data } = next;
    this.#commands++;
    this.#meter.spend(costOf(command));
    try {
      const steps = this.#carryOut(command, data);
      // Most end here; only what is laid aside needs to be remembered.
      if (steps?.next().done === false) this.#underWay = { steps, name: command.type };
    } catch (error) {
      this.#dropped(command.type, error);
    }
  }

  #goOn(): void {
    if (this.#underWay === undefined) return;
    const { steps, name } = this.#underWay;
    try {
      if (steps.next().done === true) this.#underWay = undefined;
    } catch (error) {
      this.#underWay = undefined;
      this.#dropped(name, error);
    }
  }

  /** @returns what may take longer than this slice */
  #carryOut(command: RedCommand, data: Uint8Array): Steps | undefined {
    switch (command.type) {
      case "draw":
        return this.display.draw(command, data);
      case "surfaceCreate":
        return this.display.createSurface(command, data);
      case "surfaceDestroy":
        this.display.destroySurface(command.surfaceId);
        return undefined;
      case "monitorsConfig":
        this.display.setMonitorsConfig(command);
        return undefined;
      case "reset":
        this.display.reset();
        this.resetCursor();
        return undefined;
      default:
        this.cursor.process(command, data);
        return undefined;
    }
  }

  /** The guest may send what it likes; it loses only that command. Our own mistakes must not stop the thread either. */
  #dropped(name: string, error: unknown): void {
    this.droppedCommands++;
    if (error instanceof RedCommandError) {
      this.#options.log?.log("warning", "red", `${name} is dropped: ${error.message}`);
      return;
    }
    this.#options.log?.log("critical", "red", `${name} failed: ${errorText(error)}`);
    console.error(`red worker: ${name} failed`, error);
  }

  #closeCommandPort(): void {
    if (this.#commandPort === undefined) return;
    this.#commandPort.onmessage = null;
    this.#commandPort.close();
    this.#commandPort = undefined;
  }

  /** CLOSE_WORKER: nothing is left of it. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.#closeCommandPort();
    this.#underWay?.steps.return();
    this.#underWay?.cancel?.();
    this.#underWay = undefined;
    this.#queue.clear();
    this.#scheduler[Symbol.dispose]();
    for (const { clientId, channelType } of this.#clients) this.disconnectClient(clientId, channelType);
    this.cursor[Symbol.dispose]();
    this.display[Symbol.dispose]();
    this.#canvas = undefined;
    this.#flush[Symbol.dispose]();
  }
}

/** What a command costs beside what its steps count themselves. */
function costOf(command: RedCommand): number {
  switch (command.type) {
    case "surfaceCreate":
    case "surfaceDestroy":
    case "monitorsConfig":
    case "reset":
      return LIFE_CYCLE_COST;
    case "cursorSet":
      return COMMAND_COST + command.shape.width * command.shape.height * CURSOR_PIXEL_COST;
    default:
      return COMMAND_COST;
  }
}

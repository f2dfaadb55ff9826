import { link } from "../client/index.ts";
import type { LinkRequest } from "../client/index.ts";
import { RecordingChannel } from "../client/client.testing.ts";
import type {
  ChannelConnect,
  GuestMessages,
  MainMessages,
  NoMessages,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { Dispatcher } from "../dispatch/index.ts";
import { ChannelType, inputsChannel, mainChannel } from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import { PasswordGate } from "./password-gate.ts";
import type { RedsOptions } from "./reds-config.ts";
import { Reds } from "./reds.ts";
import { TicketKeyPool } from "./ticket.ts";
import { eventually } from "../waiting.testing.ts";

export const PEER = { transport: "tcp", address: "127.0.0.1:40000", secure: false };

/** Reds with real dispatchers to two peers that note what they are told. The test disposes it. */
export class TestServer implements Disposable {
  readonly reds: Reds;
  readonly gate = new PasswordGate();
  readonly guest: Dispatcher<GuestMessages>;
  readonly qxl: Dispatcher<RedWorkerMessages, MainMessages>;
  /** The red worker's end of the same port. */
  readonly red: Dispatcher<MainMessages, RedWorkerMessages>;
  readonly log: string[] = [];
  /** [message, payload] as the guest got them. */
  readonly guestLog: [string, unknown][] = [];
  readonly connects: ChannelConnect[] = [];
  readonly disconnects: { clientId: number; channelType: number }[] = [];
  readonly cuts: string[] = [];
  /** Names of what the red worker was told of ends. */
  readonly redLog: string[] = [];
  /** Awaited by the red worker before it has let go of a channel. */
  redBusy: Promise<void> | undefined;
  /** Thrown by the red worker when it is handed a channel. */
  redFault: Error | undefined;
  /** Whether the QXL device takes a client's heads. */
  deviceTakesHeads = true;
  /** Awaited by the guest's keyboard, and by its pointer, after each piece, before it has room for more. */
  keyboardBusy: Promise<number> | undefined;
  pointerBusy: Promise<number> | undefined;
  /** Awaited by the guest before it takes what is for its agent. */
  agentBusy: Promise<void> | undefined;
  readonly #owned: Disposable[] = [];

  constructor(options: Partial<RedsOptions> = {}) {
    const guestChannel = new MessageChannel();
    const redChannel = new MessageChannel();

    const note =
      (name: string, busy: () => Promise<number> | undefined) =>
      async (message: object): Promise<number> => {
        this.guestLog.push([name, message]);
        return (await busy()) ?? 0;
      };
    this.guest = new Dispatcher<GuestMessages>(guestChannel.port1, { peer: "guest" });
    this.reds = new Reds(undefined, { name: "test", ...options }, new TicketKeyPool(), this.gate);
    this.reds.log = { log: (_level, _domain, words) => void this.log.push(String(words)) };
    const { handlers } = this.reds.dispatcher.sender();
    this.qxl = new Dispatcher(redChannel.port1, { peer: "red", handlers });
    this.#owned.push(
      new Dispatcher<NoMessages, GuestMessages>(guestChannel.port2, {
        peer: "core",
        concurrent: ["agentWrite", "keyScancodes", "mouseMotion", "mousePosition"],
        handlers: {
          keyScancodes: note("keys", () => this.keyboardBusy),
          mouseMotion: note("motion", () => this.pointerBusy),
          mousePosition: note("position", () => this.pointerBusy),
          agentWrite: async ({ bytes }) => {
            await this.agentBusy;
            this.guestLog.push(["agent", bytes]);
          },
          clientMonitorsConfig: (message) => {
            this.guestLog.push(["monitors", message]);
            return this.deviceTakesHeads;
          },
        },
      }),
    );
    this.red = new Dispatcher(redChannel.port2, {
      peer: "core",
      handlers: {
        attachCommands: () => {},
        connect: (message) => {
          if (this.redFault) throw this.redFault;
          this.connects.push(message);
        },
        disconnectClient: async (message) => {
          await this.redBusy;
          this.redLog.push("disconnectClient");
          this.disconnects.push(message);
        },
        migrateClient: () => {},
        stop: async () => {
          this.redLog.push("stop");
          await this.redBusy;
        },
        resetImageCache: () => {},
        resetCursor: () => {},
        closeWorker: () => void this.redLog.push("closeWorker"),
        setMouseMode: () => {},
        setCompression: () => {},
        attachCanvas: () => {},
        readSurface: () => {
          throw new Error("no surface");
        },
        inspect: () => ({ surfaces: [], clients: [], commands: 0, queuedCommands: 0, dispatchers: [] }),
      },
    });
    this.#owned.push(this.guest, this.qxl, this.red);
    this.reds.attach(this);
  }

  /** A new connection, seen from its client. */
  dial(): RedStream {
    const { port1, port2 } = new MessageChannel();
    void this.reds.accept(port2, PEER, {
      watcher: undefined,
      cut: (reason) => void this.cuts.push(reason),
      rejoin: () => {
        throw new Error("nobody rejoins this wire");
      },
    });
    return openRedStream(port1);
  }

  async linkMain(
    wishes: Partial<LinkRequest> = {},
  ): Promise<{ main: RecordingChannel; session: number; stream: RedStream }> {
    const stream = this.dial();
    await link(stream, { channelType: ChannelType.Main, channelCaps: [0xf], ...wishes });
    const main = new RecordingChannel(stream, mainChannel);
    await eventually(() => main.find(mainChannel.server.init) !== undefined);
    return { main, session: main.find(mainChannel.server.init)!.sessionId, stream };
  }

  async linkInputs(session: number, password?: string): Promise<RecordingChannel> {
    const stream = this.dial();
    await link(stream, { channelType: ChannelType.Inputs, connectionId: session, password });
    return new RecordingChannel(stream, inputsChannel);
  }

  [Symbol.dispose](): void {
    this.gate[Symbol.dispose]();
    void this.reds.close("the test ends");
    for (const one of this.#owned) one[Symbol.dispose]();
  }
}

/** A link header that announces `size` bytes, with up to 64 zeros behind it. */
export function linkHeaderBytes(major: number, size: number): Uint8Array {
  const bytes = new Uint8Array(16 + Math.min(size, 64));
  const view = new DataView(bytes.buffer);
  [0x51444552, major, 2, size].forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}

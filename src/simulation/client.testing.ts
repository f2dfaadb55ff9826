/** A SPICE client of the simulated world, with every channel it may have. */
import type { ClientChannel } from "../client/index.ts";
import { SESSION_DEADLINE_MS, link } from "../client/index.ts";
import { RecordingChannel } from "../client/client.testing.ts";
import {
  ChannelType,
  CommonCap,
  MainCap,
  capsToWords,
  cursorChannel,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import { TestDisplayClient } from "../red/display/display-client.testing.ts";
import type { RedStream } from "../transport/index.ts";
import { createRedStreamPair, openRedStream } from "../transport/index.ts";
import { PortSocket } from "./socket.testing.ts";
import type { SimulatedThread } from "./world.testing.ts";

/** Full headers, so that serials are on the wire. */
const COMMON_CAPS = capsToWords([CommonCap.ProtocolAuthSelection, CommonCap.AuthSpice]);

export type ChannelName = "main" | "inputs" | "display" | "cursor";
const TYPES: Readonly<Record<ChannelName, number>> = {
  main: ChannelType.Main,
  inputs: ChannelType.Inputs,
  display: ChannelType.Display,
  cursor: ChannelType.Cursor,
};

/** A connection and what became of it. */
export interface Connection {
  readonly name: ChannelName;
  readonly socket: PortSocket;
  readonly channel: ClientChannel & {
    readonly closed: string | undefined;
    readonly failure: unknown;
    readonly names: readonly string[];
  };
}

const SCHEMAS = { main: mainChannel, inputs: inputsChannel, cursor: cursorChannel };

export class SimulatedClient {
  readonly name: string;
  readonly thread: SimulatedThread;
  readonly connections: Connection[] = [];
  /** Of all its tries. */
  readonly sockets: PortSocket[] = [];
  session = 0;
  display: TestDisplayClient | undefined;
  readonly #network: MessagePort;

  /** @param network takes the other end of each new socket to core */
  constructor(name: string, thread: SimulatedThread, network: MessagePort) {
    this.name = name;
    this.thread = thread;
    this.#network = network;
  }

  /** The channel of that name that is open, or was last. */
  channel(name: ChannelName): RecordingChannel | undefined {
    const found = this.connections.findLast((one) => one.name === name)?.channel;
    return found instanceof RecordingChannel ? found : undefined;
  }

  get openNames(): ChannelName[] {
    return this.connections.filter(({ socket }) => socket.readyState === 1).map(({ name }) => name);
  }

  /** Main, and then the others in any order, as stock clients do. @throws LinkRefusedError */
  async join(others: readonly ChannelName[] = ["inputs", "display", "cursor"]): Promise<void> {
    const main = (await this.link("main")) as RecordingChannel;
    const wait = { deadlineMs: SESSION_DEADLINE_MS };
    const init = await main.until(() => main.find(mainChannel.server.init), "INIT", wait).catch(() => {});
    if (init === undefined) return;
    this.session = init.sessionId;
    await Promise.all(others.map((name) => this.link(name)));
  }

  /** @throws LinkRefusedError */
  async link(name: ChannelName, session = this.session): Promise<Connection["channel"]> {
    const display = name === "display" ? new TestDisplayClient({ miniHeader: false }) : undefined;
    const { socket, stream } = this.#dial();
    await link(stream, {
      channelType: TYPES[name],
      connectionId: name === "main" ? 0 : session,
      commonCaps: COMMON_CAPS,
      channelCaps:
        display?.capabilities.channel ?? (name === "main" ? capsToWords([MainCap.NameAndUuid]) : []),
    });
    const channel =
      display ??
      new RecordingChannel(stream, SCHEMAS[name as keyof typeof SCHEMAS], {
        miniHeader: false,
        answers: true,
      });
    if (display) {
      join(stream, openRedStream(display.port));
      this.display = display;
    }
    this.connections.push({ name, socket, channel });
    return channel;
  }

  /** Cuts a connection without a word. */
  drop(name: ChannelName): void {
    for (const one of this.connections) if (one.name === name) one.socket.close(1006);
  }

  leave(): void {
    for (const { socket } of this.connections) socket.close();
  }

  #dial() {
    const { port1, port2 } = new MessageChannel();
    this.#network.postMessage({ from: this.name, port: port2 }, [port2]);
    const socket = new PortSocket(port1);
    this.sockets.push(socket);
    const [near, far] = createRedStreamPair();
    socket.addEventListener("message", ({ data }: { data: Uint8Array }) => far.write(data.slice()));
    socket.addEventListener("close", ({ reason }: { reason: string }) => far.close(reason));
    far.onData = (bytes) => socket.send(bytes);
    far.onClose = () => socket.close();
    return { socket, stream: near };
  }
}

function join(a: RedStream, b: RedStream): void {
  a.onData = (bytes) => b.write(bytes);
  b.onData = (bytes) => a.write(bytes);
  a.onClose = (reason) => b.close(reason);
  b.onClose = (reason) => a.close(reason);
}

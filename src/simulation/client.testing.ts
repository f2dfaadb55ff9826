/** A SPICE client of the simulated world, with every channel it may have. */
import type { ChannelSchema, MessageDef, ParsedMessage } from "../protocol/index.ts";
import {
  ChannelType,
  CommonCap,
  MainCap,
  MessageParser,
  baseClient,
  baseServer,
  capsToWords,
  cursorChannel,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import { TestDisplayClient } from "../red/display/display-client.testing.ts";
import { linkAsClient } from "../server/link-client.testing.ts";
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

/** One channel as its client sees it: serials are checked, windows acknowledged, PINGs answered. */
export class ClientChannel {
  readonly names: string[] = [];
  readonly messages: ParsedMessage[] = [];
  closed: string | undefined;
  failure: unknown;
  /** Of the last message that came. */
  serial = 0n;
  readonly #stream: RedStream;
  #sent = 0n;
  #window = 0;
  #untilAck = 0;

  constructor(stream: RedStream, schema: ChannelSchema) {
    this.#stream = stream;
    const parser = new MessageParser({ miniHeader: false, channel: schema.server });
    stream.onData = (bytes) => {
      try {
        for (const message of parser.push(bytes)) this.#take(message);
      } catch (error) {
        this.failure ??= error;
      }
    };
    stream.onClose = (reason) => (this.closed = reason);
  }

  send<T>(definition: MessageDef<T>, value: T): void {
    this.#stream.write(encodeMessage(definition, value, { miniHeader: false, serial: ++this.#sent }));
  }

  find<T>(definition: MessageDef<T>): T | undefined {
    return this.messages.find((message) => message.def === definition)?.as(definition);
  }

  #take(message: ParsedMessage): void {
    this.serial++;
    if (message.serial !== this.serial)
      throw new Error(`${message.name} has serial ${message.serial}, expected ${this.serial}`);
    this.names.push(message.name);
    this.messages.push(message);
    if (this.#window > 0 && --this.#untilAck === 0) {
      this.#untilAck = this.#window;
      this.send(baseClient.ack, {});
    }
    const ack = message.as(baseServer.setAck);
    if (ack) {
      this.#window = this.#untilAck = ack.window;
      this.send(baseClient.ackSync, { generation: ack.generation });
    }
    const ping = message.as(baseServer.ping);
    if (ping) this.send(baseClient.pong, { id: ping.id, timestamp: ping.timestamp });
  }
}

/** A connection and what became of it. */
export interface Connection {
  readonly name: ChannelName;
  readonly socket: PortSocket;
  readonly channel: {
    readonly closed: string | undefined;
    readonly failure: unknown;
    readonly names: readonly string[];
  };
}

const SCHEMAS = { main: mainChannel, inputs: inputsChannel, cursor: cursorChannel };

/** A refusal in the link stage. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: number;
  constructor(code: number) {
    super(`the link was refused: ${code}`);
    this.code = code;
  }
}

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
  channel(name: ChannelName): ClientChannel | undefined {
    const found = this.connections.findLast((one) => one.name === name)?.channel;
    return found instanceof ClientChannel ? found : undefined;
  }

  get openNames(): ChannelName[] {
    return this.connections.filter(({ socket }) => socket.readyState === 1).map(({ name }) => name);
  }

  /** Main, and then the others in any order, as stock clients do. @throws Refused */
  async join(others: readonly ChannelName[] = ["inputs", "display", "cursor"]): Promise<void> {
    const main = (await this.link("main")) as ClientChannel;
    await this.#wait(() => main.names.includes("init") || main.closed !== undefined);
    this.session = main.find(mainChannel.server.init)?.sessionId ?? 0;
    if (this.session === 0) return;
    await Promise.all(others.map((name) => this.link(name)));
  }

  /** @throws Refused */
  async link(name: ChannelName, session = this.session): Promise<Connection["channel"]> {
    const display = name === "display" ? new TestDisplayClient({ miniHeader: false }) : undefined;
    const { socket, stream } = this.#dial();
    const result = await linkAsClient(stream, {
      channelType: TYPES[name],
      connectionId: name === "main" ? 0 : session,
      commonCaps: COMMON_CAPS,
      channelCaps:
        display?.capabilities.channel ?? (name === "main" ? capsToWords([MainCap.NameAndUuid]) : []),
    });
    if (result.replyError !== 0 || result.resultError !== 0)
      throw new Refused(result.resultError ?? result.replyError);
    const channel = display ?? new ClientChannel(stream, SCHEMAS[name as keyof typeof SCHEMAS]);
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

  async #wait(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function join(a: RedStream, b: RedStream): void {
  a.onData = (bytes) => b.write(bytes);
  b.onData = (bytes) => a.write(bytes);
  a.onClose = (reason) => b.close(reason);
  b.onClose = (reason) => a.close(reason);
}

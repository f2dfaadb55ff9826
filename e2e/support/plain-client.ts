import { connect, type Socket } from "node:net";
import type { WebSocket } from "ws";
import {
  ChannelType,
  CommonCap,
  MessageParser,
  capsToWords,
  cursorChannel,
  inputsChannel,
  mainChannel,
  type SpiceCursor,
} from "../../src/protocol/index.ts";
import { TestDisplayClient, spiceGtkCaps } from "../../src/red/display/display-client.testing.ts";
import { ChannelAtClient, linkAsClient } from "../../src/server/link-client.testing.ts";
import { createRedStreamPair, openRedStream, type RedStream } from "../../src/transport/index.ts";
import type { Picture } from "./ppm.ts";

/** Joins a TCP connection to a RedStream and gives the near end; both end together. */
export async function dialTcp(port: number): Promise<{ socket: Socket; stream: RedStream }> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const [near, far] = createRedStreamPair();
  pump(socket, far);
  return { socket, stream: near };
}

function pump(socket: Socket, stream: RedStream): void {
  socket.on("data", (bytes) => stream.write(new Uint8Array(bytes)));
  socket.on("close", () => stream.close("the connection ended"));
  socket.on("error", () => {});
  stream.onData = (bytes) => void socket.write(bytes);
  stream.onClose = () => socket.end();
}

/** Common capabilities without MINI_HEADER: every stock client has it, the protocol does not demand it. */
const FULL_HEADERS = capsToWords([CommonCap.ProtocolAuthSelection, CommonCap.AuthSpice]);

/** A session of a client that speaks full headers: what it is shown once the screen is complete. */
export async function fullHeaderScreenshot(port: number, password?: string): Promise<Picture> {
  return fullHeaderScreenshotBy(() => dialTcp(port), password);
}

/** The same over connections that `dial` makes. */
export async function fullHeaderScreenshotBy(
  dial: () => Promise<{ socket: Socket | WebSocket; stream: RedStream }>,
  password?: string,
): Promise<Picture> {
  const main = await dial();
  const display = await dial();
  try {
    const session = await sessionId(main.stream, password);
    const link = await linkAsClient(display.stream, {
      connectionId: session,
      channelType: ChannelType.Display,
      password,
      commonCaps: FULL_HEADERS,
      channelCaps: spiceGtkCaps,
    });
    if (link.resultError !== 0) throw new Error(`the display link was refused with ${link.resultError}`);
    using client = new TestDisplayClient({ miniHeader: false });
    const far = openRedStream(client.port);
    display.stream.onData = (bytes) => far.write(bytes.slice());
    far.onData = (bytes) => display.stream.write(bytes.slice());
    const end = Date.now() + 30_000;
    while (!client.names.includes("mark")) {
      if (client.failure !== undefined) throw client.failure;
      if (Date.now() > end) throw new Error(`no MARK; got ${client.names.join(" ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const surface = client.surfaces.get(0);
    if (!surface) throw new Error("no primary surface");
    const rgb = new Uint8Array(surface.width * surface.height * 3);
    client.rgb(0).forEach((word, i) => {
      rgb[i * 3] = word >> 16;
      rgb[i * 3 + 1] = (word >> 8) & 255;
      rgb[i * 3 + 2] = word & 255;
    });
    return { width: surface.width, height: surface.height, rgb };
  } finally {
    for (const { socket } of [main, display]) {
      if ("destroy" in socket) socket.destroy();
      else socket.terminate();
    }
  }
}

/** A client that moves the guest's pointer as one does without an absolute pointer: by steps, in server mouse mode. */
export class PointerClient implements Disposable {
  readonly main: ChannelAtClient;
  readonly inputs: ChannelAtClient;
  readonly cursor: ChannelAtClient;
  readonly #sockets: readonly Socket[];

  private constructor(channels: readonly ChannelAtClient[], sockets: readonly Socket[]) {
    [this.main, this.inputs, this.cursor] = channels;
    this.#sockets = sockets;
  }

  static async join(port: number): Promise<PointerClient> {
    const sockets: Socket[] = [];
    const channels: ChannelAtClient[] = [];
    let connectionId = 0;
    for (const schema of [mainChannel, inputsChannel, cursorChannel]) {
      const { socket, stream } = await dialTcp(port);
      sockets.push(socket);
      const link = await linkAsClient(stream, { connectionId, channelType: schema.type });
      if (link.resultError !== 0)
        throw new Error(`${schema.name}: the link was refused with ${link.resultError}`);
      const channel = new ChannelAtClient(stream, schema);
      channels.push(channel);
      if (schema !== mainChannel) continue;
      const init = await eventually(() => channel.find(mainChannel.server.init), "INIT of the main channel");
      connectionId = init.sessionId;
    }
    return new PointerClient(channels, sockets);
  }

  /** The shape that the guest's pointer has now, as the server tells whoever joins. */
  async shape(): Promise<SpiceCursor> {
    const { init, set } = cursorChannel.server;
    const first = await eventually(() => this.cursor.find(init), "INIT of the cursor channel");
    const shapes = this.cursor.messages.flatMap((message) => message.as(set)?.cursor ?? []);
    return shapes.at(-1) ?? first.cursor;
  }

  /** Where the server last said that the guest's pointer is. */
  get position(): { readonly x: number; readonly y: number } | undefined {
    const { init, set, move } = cursorChannel.server;
    const moves = this.cursor.messages.flatMap(
      (message) => (message.as(init) ?? message.as(set) ?? message.as(move))?.position ?? [],
    );
    return moves.at(-1);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function eventually<T>(get: () => T | undefined, what: string): Promise<T> {
  for (const end = Date.now() + 30_000; ;) {
    const value = get();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`${what} never came`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sessionId(stream: RedStream, password?: string): Promise<number> {
  const link = await linkAsClient(stream, {
    channelType: ChannelType.Main,
    commonCaps: FULL_HEADERS,
    password,
  });
  if (link.resultError !== 0) throw new Error(`the main link was refused with ${link.resultError}`);
  const parser = new MessageParser({ miniHeader: false, channel: mainChannel.server });
  return new Promise((resolve, reject) => {
    stream.onClose = (reason) => reject(new Error(reason));
    stream.onData = (bytes) => {
      for (const message of parser.push(bytes)) {
        const init = message.as(mainChannel.server.init);
        if (init) resolve(init.sessionId);
      }
    };
  });
}

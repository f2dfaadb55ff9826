import { connect, type Socket } from "node:net";
import {
  ChannelType,
  CommonCap,
  MessageParser,
  capsToWords,
  cursorChannel,
  mainChannel,
} from "../../src/protocol/index.ts";
import { TestDisplayClient, spiceGtkCaps } from "../../src/red/display-client.testing.ts";
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
export async function fullHeaderScreenshot(port: number): Promise<Picture> {
  const main = await dialTcp(port);
  const display = await dialTcp(port);
  try {
    const session = await sessionId(main.stream);
    const link = await linkAsClient(display.stream, {
      connectionId: session,
      channelType: ChannelType.Display,
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
    main.socket.destroy();
    display.socket.destroy();
  }
}

/** Joins the cursor channel and gives every shape (as text) that it is sent while `meanwhile` runs, the first one included. */
export async function cursorShapes(port: number, meanwhile: () => Promise<void>): Promise<string[]> {
  const main = await dialTcp(port);
  const cursor = await dialTcp(port);
  try {
    const connectionId = await sessionId(main.stream);
    const link = await linkAsClient(cursor.stream, { connectionId, channelType: ChannelType.Cursor });
    if (link.resultError !== 0) throw new Error(`the cursor link was refused with ${link.resultError}`);
    const channel = new ChannelAtClient(cursor.stream, cursorChannel);
    await meanwhile();
    return channel.messages.flatMap((message) => {
      const shape = (message.as(cursorChannel.server.init) ?? message.as(cursorChannel.server.set))?.cursor;
      return shape === undefined
        ? []
        : [JSON.stringify(shape, (_, value) => (typeof value === "bigint" ? `${value}` : value))];
    });
  } finally {
    main.socket.destroy();
    cursor.socket.destroy();
  }
}

async function sessionId(stream: RedStream): Promise<number> {
  const link = await linkAsClient(stream, { channelType: ChannelType.Main, commonCaps: FULL_HEADERS });
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

import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { eventually, turns } from "../../waiting.testing.ts";
import { TRANSPORT_HIGH_WATER } from "../limits.ts";
import type { ByteTransport } from "../transport.ts";
import { NodeSocketTransport, dialTcp } from "./node-socket.ts";
import { WebSocketTransport, dialWebSocket } from "./websocket.ts";
import type { WebSocketLike } from "./websocket.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0).toReversed()) close();
});

/** A transport and a server's end of it: what it heard, and what it can do. */
interface Line {
  readonly transport: ByteTransport;
  readonly heard: number[];
  say(bytes: Uint8Array): void;
  end(): void;
  ended: boolean;
}

async function tcp(): Promise<Line & { socket: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => server.close());
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const transport = await dialTcp((server.address() as AddressInfo).port);
  const [socket] = await accepted;
  open.push(() => void socket.destroy());
  const line = {
    transport,
    socket,
    heard: [] as number[],
    ended: false,
    say: (bytes: Uint8Array) => void socket.write(bytes),
    end: () => void socket.end(),
  };
  socket.on("data", (bytes) => line.heard.push(...bytes));
  socket.on("close", () => (line.ended = true));
  return line;
}

async function webSocket(): Promise<Line> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await once(server, "listening");
  open.push(() => server.close());
  const accepted = once(server, "connection") as Promise<[WebSocket]>;
  const { port } = server.address() as AddressInfo;
  const dialled = new WebSocket(`ws://127.0.0.1:${port}`, "binary");
  const transport = new WebSocketTransport(dialled as unknown as WebSocketLike);
  const [socket] = await accepted;
  open.push(() => socket.terminate());
  const line = {
    transport,
    heard: [] as number[],
    ended: false,
    say: (bytes: Uint8Array) => socket.send(bytes),
    end: () => socket.close(1000, "enough"),
  };
  socket.on("message", (data: Buffer) => line.heard.push(...data));
  socket.on("close", () => (line.ended = true));
  return line;
}

describe.each([
  ["a Node socket", tcp],
  ["a WebSocket", webSocket],
])("%s as a transport", (_, dial) => {
  test("carries bytes both ways, also those written before it is open and a view's alone", async () => {
    const line = await dial();
    const seen: number[] = [];
    line.transport.write(new Uint8Array([9, 1, 2, 9]).subarray(1, 3));
    await eventually(() => line.heard.length === 2);
    line.say(new Uint8Array([3, 4]));
    line.transport.onData = (bytes) => seen.push(...bytes);
    await eventually(() => seen.length === 2);
    expect([line.heard, seen]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("keeps what nobody reads, takes back what was too much, and tells the end last and once", async () => {
    const line = await dial();
    line.say(new Uint8Array([1, 2, 3, 4, 5]));
    line.end();
    const ends: string[] = [];
    line.transport.onClose = (reason) => ends.push(reason);
    const first: number[] = [];
    line.transport.onData = (bytes) => {
      line.transport.onData = undefined;
      first.push(...bytes.subarray(0, 2));
      line.transport.unread(bytes.subarray(2));
    };
    await eventually(() => first.length === 2);
    await eventually(() => line.ended);
    await turns();
    expect(ends).toEqual([]);
    const rest: number[] = [];
    line.transport.onData = (bytes) => rest.push(...bytes);
    await eventually(() => ends.length > 0);
    expect([first, rest]).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    await turns();
    expect(ends).toHaveLength(1);
  });

  test("is closed from this side without a word to its reader, after what was written", async () => {
    const line = await dial();
    const told: unknown[] = [];
    line.transport.onClose = (reason) => told.push(reason);
    line.transport.onData = (bytes) => told.push(bytes);
    await turns();
    line.transport.write(new Uint8Array(50_000).fill(7));
    line.transport.close();
    line.transport.write(new Uint8Array(1));
    await eventually(() => line.ended);
    expect(line.heard).toHaveLength(50_000);
    expect(told).toEqual([]);
  });
});

test("a Node socket is held back while its reader is behind", async () => {
  const line = await tcp();
  const transport = line.transport as NodeSocketTransport;
  const total = 4 * TRANSPORT_HIGH_WATER;
  for (let at = 0; at < total; at += 65_536) line.say(new Uint8Array(65_536));
  await eventually(() => transport.socket.isPaused());
  expect(transport.waiting).toBeLessThan(total);
  let read = 0;
  transport.onData = (bytes) => (read += bytes.length);
  await eventually(() => read === total);
});

test("a text message, and a server that is not there, are told in words", async () => {
  const line = await webSocket();
  const ends: string[] = [];
  line.transport.onData = () => {};
  line.transport.onClose = (reason) => ends.push(reason);
  line.say("hello" as unknown as Uint8Array);
  await eventually(() => ends.length > 0);
  expect(ends).toEqual(["a text message on a binary stream"]);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  await expect(dialTcp(port)).rejects.toThrow(/ECONNREFUSED/);
  if (typeof globalThis.WebSocket === "function")
    await expect(dialWebSocket(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
    });
});

test("a connection that breaks is told by its reason", async () => {
  const line = await tcp();
  const ends: string[] = [];
  line.transport.onData = () => {};
  line.transport.onClose = (reason) => ends.push(reason);
  line.socket.resetAndDestroy();
  await eventually(() => ends.length > 0);
  expect(ends[0]).toMatch(/ECONNRESET/);
});

import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocketStream } from "undici";
import { WebSocket, WebSocketServer } from "ws";
import { streamCompliance } from "./compliance.testing.ts";
import { SOCKET_SEGMENT, SOCKET_TURN_MESSAGES, STREAM_CREDIT } from "./limits.ts";
import type { WebSocketStreamConstructor } from "./pausable-socket.ts";
import { PausableWebSocket } from "./pausable-socket.ts";
import { openRedStream } from "./red-stream.ts";
import { Turns } from "./turns.ts";
import { joinWebSocket, type WebSocketLike } from "./websocket-driver.ts";
import { eventually, turns } from "../waiting.testing.ts";

describe("RedStream over a WebSocket", () => {
  streamCompliance(async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    await new Promise((resolve) => server.once("listening", resolve));
    const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
    const { port } = server.address() as AddressInfo;
    const dialled = new WebSocket(`ws://127.0.0.1:${port}`, "binary", { perMessageDeflate: false });
    const a = openRedStream(joinWebSocket(dialled as unknown as WebSocketLike).port);
    const b = openRedStream(joinWebSocket((await accepted) as unknown as WebSocketLike).port);
    return { a, b, done: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  });
});

/** A browser's socket that can pause, made of the same API that Chromium has, and the server's end of it. */
async function pausablePair(turns?: Turns) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
  const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
  const { port } = server.address() as AddressInfo;
  const constructor = WebSocketStream as unknown as WebSocketStreamConstructor;
  const dialled = new PausableWebSocket(`ws://127.0.0.1:${port}`, "binary", constructor, turns);
  const done = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { dialled, peer: await accepted, done };
}

describe("RedStream over a WebSocketStream", () => {
  streamCompliance(async () => {
    const { dialled, peer, done } = await pausablePair();
    const a = openRedStream(joinWebSocket(dialled).port);
    const b = openRedStream(joinWebSocket(peer as unknown as WebSocketLike).port);
    return { a, b, done };
  });
});

test("what nobody reads waits in its sender's socket, not with us, and is read in the end", async () => {
  const { dialled, peer, done } = await pausablePair();
  const reader = openRedStream(joinWebSocket(dialled).port, { overshoot: SOCKET_SEGMENT });
  const piece = 64 * 1024;
  const pieces = 400;
  let ended = "";
  reader.onClose = (reason) => (ended = reason);
  for (let i = 0; i < pieces; i++) peer.send(new Uint8Array(piece).fill(i));
  await eventually(() => reader.waiting >= STREAM_CREDIT);
  // Twenty times as much is on its way, and would end a reader that could not pause.
  await turns(50);
  expect(ended).toBe("");
  expect(reader.waiting).toBeLessThanOrEqual(STREAM_CREDIT + SOCKET_SEGMENT);
  let read = 0;
  reader.onData = (bytes) => (read += bytes.length);
  await eventually(() => read === pieces * piece);
  reader.close();
  peer.terminate();
  await done();
});

test("a client that writes byte by byte has a turn of so many messages, whatever else the thread has to do", async () => {
  const tasks: (() => void)[] = [];
  const { dialled, peer, done } = await pausablePair(new Turns((task) => tasks.push(task)));
  const reader = openRedStream(joinWebSocket(dialled).port);
  const count = 500;
  for (let i = 0; i < count; i++) peer.send(Uint8Array.of(i));
  for (let turn = 1; turn * SOCKET_TURN_MESSAGES < count; turn++) {
    await eventually(() => reader.waiting === turn * SOCKET_TURN_MESSAGES && tasks.length === 1);
    tasks.shift()!();
  }
  await eventually(() => reader.waiting === count);
  reader.close();
  peer.terminate();
  await done();
});

test("the wire can be cut without the thread that holds the stream", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
  const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
  const { port } = server.address() as AddressInfo;
  const dialled = new WebSocket(`ws://127.0.0.1:${port}`, "binary", { perMessageDeflate: false });
  const joined = joinWebSocket(dialled as unknown as WebSocketLike);
  const peer = await accepted;
  if (dialled.readyState !== dialled.OPEN) await new Promise((resolve) => dialled.once("open", resolve));
  let words = "";
  peer.on("close", (_code, reason) => (words = reason.toString()));
  joined.cut("the display thread ended");
  await eventually(() => words !== "");
  expect(words).toBe("the display thread ended");
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { eventually, streamCompliance } from "./compliance.testing.ts";
import { openRedStream } from "./red-stream.ts";
import { joinWebSocket, type WebSocketLike } from "./websocket-driver.ts";

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

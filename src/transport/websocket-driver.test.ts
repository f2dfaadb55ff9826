import type { AddressInfo } from "node:net";
import { describe } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { streamCompliance } from "./compliance.testing.ts";
import { openRedStream } from "./red-stream.ts";
import { joinWebSocket, type WebSocketLike } from "./websocket-driver.ts";

describe("RedStream over a WebSocket", () => {
  streamCompliance(async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    await new Promise((resolve) => server.once("listening", resolve));
    const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
    const { port } = server.address() as AddressInfo;
    const dialled = new WebSocket(`ws://127.0.0.1:${port}`, "binary", { perMessageDeflate: false });
    const a = openRedStream(joinWebSocket(dialled as unknown as WebSocketLike));
    const b = openRedStream(joinWebSocket((await accepted) as unknown as WebSocketLike));
    return { a, b, done: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  });
});

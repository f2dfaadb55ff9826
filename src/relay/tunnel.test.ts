import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { FollowedWire } from "../channel/followed-wire.ts";
import { acceptor } from "./acceptor.ts";
import { HeldSocket, heldWebSocket } from "./held-socket.testing.ts";
import { DEFAULT_RELAY_LIMITS } from "./limits.ts";
import { TcpEnd } from "./tcp-end.ts";
import { Tunnel } from "./tunnel.ts";
import { WebSocketEnd } from "./websocket-end.ts";
import { eventually, turns } from "../waiting.testing.ts";

const limits = { ...DEFAULT_RELAY_LIMITS, highWaterBytes: 64 * 1024, lowWaterBytes: 16 * 1024 };
const CHUNK = 16 * 1024;

function tcp(): { socket: HeldSocket; end: TcpEnd } {
  const socket = new HeldSocket();
  return { socket, end: new TcpEnd(socket as unknown as Socket, limits) };
}

/** The relay's end of a WebSocket over a held socket. */
function webSocket(): { socket: HeldSocket; end: WebSocketEnd } {
  const { socket, webSocket } = heldWebSocket(acceptor({ bytes: 0, frames: 0 }));
  return { socket, end: new WebSocketEnd(webSocket, limits, "host stream") };
}

afterEach(() => void vi.useRealTimers());

/** Sends until the relay reads no more; the bytes that it has taken by then. */
async function pushUntilPaused(socket: HeldSocket): Promise<Buffer> {
  const sent: Buffer[] = [];
  while (!socket.isPaused()) {
    const bytes = randomBytes(CHUNK);
    sent.push(bytes);
    socket.push(bytes);
    await turns(1);
    expect(sent.length, "it is never stopped").toBeLessThan(1000);
  }
  return Buffer.concat(sent);
}

test("a peer that reads nothing stops the reading of the other end, and little waits in between", async () => {
  const [from, to] = [tcp(), tcp()];
  void new Tunnel(from.end, to.end, new FollowedWire(), 1_000_000);
  const before = await pushUntilPaused(from.socket);
  expect(to.socket.writableLength).toBeLessThanOrEqual(to.socket.writableHighWaterMark + CHUNK);
  // What comes now stays with the sender's socket.
  const after = randomBytes(8 * CHUNK);
  from.socket.push(after);
  await turns(1);
  expect(to.socket.writableLength).toBeLessThanOrEqual(to.socket.writableHighWaterMark + CHUNK);
  expect(from.socket.readableLength).toBe(after.length);
  to.socket.release();
  await eventually(() => to.socket.bytesTaken === before.length + after.length);
  expect(Buffer.concat(to.socket.taken).equals(Buffer.concat([before, after]))).toBe(true);
  await eventually(() => !from.socket.isPaused());
});

test("the same towards a WebSocket: up to the high water, and on again from the low one", async () => {
  const [from, to] = [tcp(), webSocket()];
  void new Tunnel(from.end, to.end, new FollowedWire(), 1_000_000);
  const before = await pushUntilPaused(from.socket);
  expect(before.length).toBeGreaterThanOrEqual(limits.highWaterBytes);
  expect(before.length).toBeLessThanOrEqual(limits.highWaterBytes + 2 * CHUNK);
  const after = randomBytes(CHUNK);
  from.socket.push(after);
  await turns(1);
  expect(from.socket.readableLength).toBe(after.length);
  to.socket.release();
  await eventually(() => !from.socket.isPaused() && from.socket.readableLength === 0);
  await eventually(() => to.socket.bytesTaken > before.length + after.length);
});

test("before it is joined a client is read up to its limit, and no further", async () => {
  const { socket, end } = tcp();
  const before = await pushUntilPaused(socket);
  expect(end.early.length).toBeGreaterThanOrEqual(limits.earlyBytes);
  expect(end.early.length).toBeLessThanOrEqual(limits.earlyBytes + CHUNK);
  const after = randomBytes(4 * CHUNK);
  socket.push(after);
  await turns(1);
  expect(socket.readableLength).toBe(after.length);
  const seen: Buffer[] = [];
  end.attach({ data: (bytes) => void seen.push(bytes), ended() {} });
  await eventually(() => socket.readableLength === 0);
  expect(Buffer.concat(seen).equals(Buffer.concat([before, after]))).toBe(true);
});

test("a peer that takes no byte for the whole stall limit is cut, and the other end closes; one that takes some is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const [from, to] = [tcp(), tcp()];
  void new Tunnel(from.end, to.end, new FollowedWire(), 60_000);
  await pushUntilPaused(from.socket);
  vi.advanceTimersByTime(59_000);
  expect(to.socket.destroyed).toBe(false);
  to.socket.release();
  await eventually(() => !from.socket.isPaused());
  to.socket.open = false;
  await pushUntilPaused(from.socket);
  vi.advanceTimersByTime(59_000);
  expect(to.socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(to.socket.destroyed).toBe(true);
  await eventually(() => from.socket.writableEnded);
});

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { RelayClose } from "../relay-control/index.ts";
import { acceptor } from "./acceptor.ts";
import { heldWebSocket } from "./held-socket.testing.ts";
import { JoinedWrites } from "./joined-writes.ts";
import { DEFAULT_RELAY_LIMITS, EMPTY_FRAMES_AT_ONCE, MESSAGES_AT_ONCE, SMALL_FRAME_BYTES } from "./limits.ts";
import { closing, readBytes, stopClock, TestRelay } from "./relay.testing.ts";
import { WebSocketEnd } from "./websocket-end.ts";
import { eventually, turns } from "../waiting.testing.ts";

const CONTINUATION = 0;
const BINARY = 2;
const PING = 9;
const PONG = 10;
/** A close frame without words: 1008, of ws itself. */
const TOO_MANY_FRAMES = Buffer.from([0x88, 2, 1008 >> 8, 1008 & 255]);

/** A masked frame, whose mask is 0. */
function frame(opcode: number, bytes: readonly number[] = [], isLast = true): Buffer {
  return Buffer.from([(isLast ? 0x80 : 0) | opcode, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}

const repeat = (one: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => one));

/** The relay's end of a client's WebSocket, and its socket. */
function client(limits = DEFAULT_RELAY_LIMITS) {
  const { socket, webSocket } = heldWebSocket(acceptor({ bytes: 1 << 20, frames: 128 }));
  socket.release();
  const end = new WebSocketEnd(webSocket, { ...limits, earlyBytes: Infinity }, "anybody");
  return { socket, webSocket, end };
}

test("of ten thousand messages in one piece one is read in a turn, whatever they are", async () => {
  for (const one of [frame(BINARY, [1]), frame(BINARY), frame(PING), frame(PONG)]) {
    const { socket, webSocket } = client();
    let events = 0;
    for (const name of ["message", "ping", "pong"]) webSocket.on(name, () => events++);
    socket.push(repeat(one, 10_000));
    await eventually(() => events > 0);
    for (let turn = 0; turn < 20; turn++) {
      const before = events;
      await turns(1);
      expect(events - before).toBeLessThanOrEqual(2);
    }
    webSocket.terminate();
  }
});

test("who sends small messages without an end is left unread for as long as it has sent too many", async () => {
  using clock = stopClock();
  const { socket, webSocket, end } = client({ ...DEFAULT_RELAY_LIMITS, framesAtOnce: 10, frameRestMs: 100 });
  socket.push(repeat(frame(BINARY, [1]), 30));
  await eventually(() => end.receivedBytes === 30);
  expect(socket.isPaused()).toBe(true);
  socket.push(frame(BINARY, [1]));
  // Twenty were too many, and one must be earned.
  clock.pass(20 * 100);
  await turns();
  expect(end.receivedBytes).toBe(30);
  // What its owner wants counts too.
  end.pauseReading();
  clock.pass(10 * 100);
  await turns();
  expect(end.receivedBytes).toBe(30);
  end.resumeReading();
  await eventually(() => end.receivedBytes === 31);
  webSocket.terminate();
});

test("large messages cost no rest", async () => {
  using _clock = stopClock();
  const { socket, webSocket, end } = client({ ...DEFAULT_RELAY_LIMITS, framesAtOnce: 2, frameRestMs: 1e6 });
  const header = Buffer.from([0x82, 0x80 | 126, SMALL_FRAME_BYTES >> 8, SMALL_FRAME_BYTES & 255, 0, 0, 0, 0]);
  const one = Buffer.concat([header, Buffer.alloc(SMALL_FRAME_BYTES)]);
  for (let i = 0; i < 20; i++) socket.push(one);
  await eventually(() => end.receivedBytes === 20 * SMALL_FRAME_BYTES);
  expect(socket.isPaused()).toBe(false);
  webSocket.terminate();
});

/** Upgrades, and then speaks frames. */
async function rawWebSocket(relay: TestRelay, path: string): Promise<Socket> {
  const socket = connect({ port: relay.httpPort, host: "127.0.0.1" }).on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n",
  );
  await once(socket, "data");
  return socket;
}

test.each([
  ["empty messages", [frame(BINARY)]],
  ["pings", [frame(PING)]],
  ["pongs", [frame(PONG)]],
  ["empty parts of one message", [frame(BINARY, [], false), frame(CONTINUATION, [], false)]],
] as const)("an endless flood of %s is ended with a reason, on each path", async (_, frames) => {
  await using relay = await TestRelay.start();
  await relay.host();
  for (const path of ["/spice", "/host"]) {
    const socket = await rawWebSocket(relay, path);
    const said: Buffer[] = [];
    socket.on("data", (bytes) => said.push(bytes));
    socket.write(frames[0]);
    socket.write(repeat(frames.at(-1)!, 2 * EMPTY_FRAMES_AT_ONCE));
    await eventually(() => {
      const all = Buffer.concat(said);
      const reasons = ["without a byte", "control messages are text"];
      return reasons.some((reason) => all.includes(reason)) || all.includes(TOO_MANY_FRAMES);
    }, `${path} is ended`);
    socket.destroy();
  }
});

test("a host that floods is ended like anybody", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const ended = closing(host.socket);
  for (let i = 0; i < 2 * EMPTY_FRAMES_AT_ONCE; i++) host.socket.ping();
  expect(await ended).toMatchObject({
    code: RelayClose.protocolError,
    reason: expect.stringContaining("pings"),
  });
});

test("a flood of single bytes does not become one of messages to the hosting tab, and all of it arrives", async () => {
  await using relay = await TestRelay.start({ limits: { messagesAtOnce: 4, messageRestMs: 1e6 } });
  const next = await relay.joined(await relay.host());
  let messages = 0;
  next.stream.on("message", () => messages++);
  const bytes = readBytes(next.stream, SMALL_FRAME_BYTES);
  for (let i = 0; i < SMALL_FRAME_BYTES + 4; i++) {
    next.client.write(Buffer.of(i));
    await turns(1);
  }
  expect((await bytes).subarray(0, 3)).toEqual(Buffer.of(0, 1, 2));
  expect(messages).toBeLessThan(10);
});

test("small pieces of one turn leave together at its end; when they do not end, at a pace", async () => {
  using clock = stopClock();
  const sent: string[] = [];
  using joined = new JoinedWrites(DEFAULT_RELAY_LIMITS, (bytes) => sent.push(Buffer.from(bytes).toString()));
  for (const piece of ["a", "b", "", "c"]) joined.write(Buffer.from(piece));
  expect(sent).toEqual([]);
  await turns(1);
  expect(sent).toEqual(["abc"]);
  for (let i = 1; i < MESSAGES_AT_ONCE; i++) {
    joined.write(Buffer.from("x"));
    await turns(1);
  }
  expect(sent).toHaveLength(MESSAGES_AT_ONCE);
  joined.write(Buffer.from("late"));
  await turns();
  joined.write(Buffer.from(" too"));
  expect(sent).toHaveLength(MESSAGES_AT_ONCE);
  clock.pass(DEFAULT_RELAY_LIMITS.messageRestMs);
  expect(sent.at(-1)).toBe("late too");
  // What is large waits for nothing, and takes along what waits.
  joined.write(Buffer.from("y"));
  joined.write(Buffer.alloc(SMALL_FRAME_BYTES, "z"));
  expect(sent.at(-1)).toBe(`y${"z".repeat(SMALL_FRAME_BYTES)}`);
  joined.write(Buffer.from("last"));
  joined.flush();
  expect(sent.at(-1)).toBe("last");
});

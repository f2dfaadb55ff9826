import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { HttpPace } from "./http-pace.ts";
import type { PacedWork } from "./http-pace.ts";
import { HttpPlaces } from "./http-places.ts";
import { TestWebServer } from "./web-server.testing.ts";

const LARGE = 4 * 1024 * 1024;
let server: TestWebServer;

beforeAll(async () => {
  server = await TestWebServer.start({
    files: { "dist/large": Buffer.alloc(LARGE) },
    web: { maxConnections: 64 },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

test("the page is served beside a thousand connections that say nothing, say it slowly, do not read or leave half open", async () => {
  const open = new Set<Socket>();
  let cuts = 0;
  const connection = (words: string, read = true) => {
    const socket = connect({ port: server.web.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.once("close", () => {
      open.delete(socket);
      cuts++;
    });
    socket.once("end", () => socket.destroy());
    if (read) socket.resume();
    else socket.pause();
    if (words !== "") socket.write(words);
    open.add(socket);
    return socket;
  };
  const host = `Host: ${server.host}\r\n`;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 25; i++) {
      connection("");
      connection("GET / HT");
      connection(`GET / HTTP/1.1\r\n${host}X-Slow: `);
      connection(`GET /host HTTP/1.1\r\n${host}Upgrade: websocket\r\n`);
      // Nobody reads what this one asked for.
      if (i % 5 === 0) connection(`GET /large HTTP/1.1\r\n${host}\r\n`, false);
      if (i % 5 === 1) connection("").end();
    }
    for (const socket of open) if (socket.writable) socket.write("x");
    expect((await server.get("/")).body).toBe(TestWebServer.PAGE);
    expect((await server.get("/large")).bytes).toHaveLength(LARGE);
  }
  expect(cuts).toBeGreaterThan(900);
  for (const socket of open) socket.destroy();
}, 120_000);

test("each piece of a file waits for its turn, beside readers that take nothing too", async () => {
  class CountingPace extends HttpPace {
    pieces = 0;
    override ask(work: PacedWork, again: boolean): void {
      const counted = () => {
        const isRequest = work();
        if (!isRequest) this.pieces++;
        return isRequest;
      };
      super.ask(counted, again);
    }
  }
  const pace = new CountingPace();
  await using large = await TestWebServer.start({
    files: { "dist/large": Buffer.alloc(LARGE, 7), "guest/console/large": Buffer.alloc(LARGE, 8) },
    web: { pace },
  });
  const deaf = Array.from({ length: 20 }, () => {
    const socket = connect(large.web.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(`GET /large HTTP/1.1\r\nHost: ${large.host}\r\n\r\n`);
    return socket;
  });
  for (const [path, byte] of [
    ["/large", 7],
    ["/guest/console/large", 8],
  ] as const) {
    pace.pieces = 0;
    expect((await large.get(path)).bytes.equals(Buffer.alloc(LARGE, byte))).toBe(true);
    // Node reads 64 KiB of a file at a time.
    expect(pace.pieces).toBeGreaterThanOrEqual(LARGE / (64 * 1024));
  }
  for (const socket of deaf) socket.destroy();
}, 120_000);

test("of those at an answer the one that takes nothing is cut, never one that gets on", async () => {
  const places = new HttpPlaces(8);
  const endless = createServer((_request, response) => {
    const piece = Buffer.alloc(64 * 1024);
    const pour = () => {
      while (response.write(piece));
    };
    response.on("drain", pour);
    pour();
  });
  const served: Socket[] = [];
  endless.on("connection", (socket) => served.push(socket));
  places.watch(endless);
  endless.listen(0, "127.0.0.1");
  await once(endless, "listening");
  const dialled: Socket[] = [];
  /** Resolves once it is at its answer. */
  const download = async () => {
    const socket = connect((endless.address() as AddressInfo).port, "127.0.0.1");
    dialled.push(socket);
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(served).toHaveLength(dialled.length), { timeout: 60_000 });
    const at = served.at(-1)!;
    await vi.waitFor(() => expect(at.writableNeedDrain).toBe(true), { timeout: 60_000, interval: 2 });
    return { socket, at };
  };
  try {
    const honest = await download();
    for (let i = 0; i < 7; i++) await download();
    for (let i = 0; i < 40; i++) {
      // It takes what was on its way, stops, and is older than all the others.
      const got = once(honest.at, "drain");
      honest.socket.resume();
      await got;
      honest.socket.pause();
      await download();
      expect(honest.at.destroyed, `after ${i + 1} that take nothing`).toBe(false);
      expect(served.filter((socket) => !socket.destroyed)).toHaveLength(8);
    }
  } finally {
    for (const socket of [...dialled, ...served]) socket.destroy();
    endless.close();
  }
}, 120_000);

test("a newcomer is not cut by the next one before it could ask, when all others are at answers", async () => {
  const server = createServer((_request, response) => void response.write("not all of it"));
  const served: Socket[] = [];
  server.on("connection", (socket) => served.push(socket));
  new HttpPlaces(8).watch(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const dialled: Socket[] = [];
  const dial = async (words: string) => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    dialled.push(socket);
    socket.on("error", () => {});
    await vi.waitFor(() => expect(served).toHaveLength(dialled.length), { timeout: 60_000 });
    if (words !== "") {
      socket.write(words);
      await once(socket, "data");
    }
    return served.at(-1)!;
  };
  const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  try {
    const stalled: Socket[] = [];
    for (let i = 0; i < 8; i++) stalled.push(await dial(request));
    const newcomer = await dial("");
    for (let i = 0; i < 3; i++) await dial(request);
    expect(newcomer.destroyed).toBe(false);
    expect(stalled.map((socket) => socket.destroyed)).toEqual([1, 1, 1, 1, 0, 0, 0, 0].map(Boolean));
    // By now it had as much time as half of them.
    for (let i = 0; i < 4; i++) await dial(request);
    expect(newcomer.destroyed).toBe(true);
  } finally {
    for (const socket of [...dialled, ...served]) socket.destroy();
    server.close();
  }
}, 120_000);

test("who has begun to ask is not cut before those that say nothing, and saying more is no more right to a place", async () => {
  const server = createServer();
  const served: Socket[] = [];
  server.on("connection", (socket) => served.push(socket));
  new HttpPlaces(4).watch(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const dialled: Socket[] = [];
  const dial = async () => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    dialled.push(socket);
    socket.on("error", () => {});
    await vi.waitFor(() => expect(served).toHaveLength(dialled.length), { timeout: 60_000 });
    return { socket, at: served.at(-1)! };
  };
  const say = async ({ socket, at }: { socket: Socket; at: Socket }) => {
    const before = at.bytesRead;
    socket.write("GET /");
    await vi.waitFor(() => expect(at.bytesRead).toBeGreaterThan(before), { timeout: 60_000 });
  };
  try {
    const asks = await dial();
    const silent = [await dial(), await dial(), await dial()];
    await say(asks);
    for (const one of silent) {
      await dial();
      expect(one.at.destroyed).toBe(true);
      expect(asks.at.destroyed).toBe(false);
    }
    await say(asks);
    await dial();
    expect(asks.at.destroyed).toBe(true);
  } finally {
    for (const socket of [...dialled, ...served]) socket.destroy();
    server.close();
  }
}, 120_000);

import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
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

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRelay } from "./relay.ts";
import type { Relay } from "./relay.ts";
import { WebServer } from "./web-server.ts";

let relay: Relay;
let folder: string;
let server: WebServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spicetab-places-"));
  await mkdir(join(folder, "dist"), { recursive: true });
  await writeFile(join(folder, "dist/index.html"), "<title>page</title>");
  await writeFile(join(folder, "dist/large"), Buffer.alloc(4 * 1024 * 1024));
  relay = createRelay({ spicePort: 0 });
  await relay.listen();
  server = new WebServer({
    relay,
    hosts: ["127.0.0.1"],
    port: 0,
    version: "1",
    guest: "console",
    pageFolder: join(folder, "dist"),
    guestFolder: join(folder, "guest"),
    maxConnections: 64,
  });
  await server.listen();
  server.ready = true;
});

afterAll(async () => {
  server[Symbol.dispose]();
  await relay[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A browser's request, on a connection of its own. */
function get(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const ask = request({ host: "127.0.0.1", port: server.port, path, agent: false }, (response) => {
      let length = 0;
      response.on("data", (piece: Buffer) => (length += piece.length));
      response.on("end", () => resolve(length));
      response.on("error", reject);
    });
    ask.on("error", reject);
    ask.end();
  });
}

test("the page is served beside a thousand connections that say nothing, say it slowly, do not read or leave half open", async () => {
  const open = new Set<Socket>();
  let cuts = 0;
  const connection = (words: string, read = true) => {
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
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
  const host = `Host: 127.0.0.1:${server.port}\r\n`;
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
    expect(await get("/")).toBe("<title>page</title>".length);
    expect(await get("/large")).toBe(4 * 1024 * 1024);
  }
  expect(cuts).toBeGreaterThan(900);
  for (const socket of open) socket.destroy();
}, 120_000);

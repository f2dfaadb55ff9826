import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { HTTP_REQUEST_LEAST_MS, HTTP_TURN_MS } from "./limits.ts";
import { HttpPace } from "./http-pace.ts";
import { HttpTurns } from "./http-turns.ts";
import { ask, TestWebServer } from "./web-server.testing.ts";

const REQUEST = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** One read of Node's, and what a paused socket may hold besides. */
const READ_BYTES = 256 * 1024;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

/** A server with turns, whose answers the test gives unless it has a handler. */
async function serve(handler?: RequestListener) {
  const asked: { url: string; response: ServerResponse }[] = [];
  const server = createServer(
    handler ?? ((request, response) => void asked.push({ url: request.url!, response })),
  );
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  new HttpTurns(new HttpPace()).watch(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = () => dial((server.address() as AddressInfo).port);
  return { server, asked, sockets, open };
}

/** A client and all it has heard. */
function dial(port: number) {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
  cleanUp.push(() => socket.destroy());
  return { socket, heard: () => heard };
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 60_000, interval: 5 });

test("of many requests on one connection the next is looked at when the last is answered, and little more is read", async () => {
  const { asked, sockets, open } = await serve();
  const { socket, heard } = open();
  const count = 100_000;
  socket.write(REQUEST.repeat(count));
  for (let i = 1; i <= 50; i++) {
    await until(() => expect(asked).toHaveLength(i));
    // Whatever could come by itself has come after an answer to somebody else.
    if (i % 10 === 0) {
      const other = open();
      other.socket.write("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
      await until(() => expect(asked.at(-1)!.url).toBe("/other"));
      asked.pop()!.response.end();
      await until(() => expect(other.heard()).toContain("200"));
      expect(asked).toHaveLength(i);
    }
    asked.at(-1)!.response.end(`answer ${i};`);
  }
  await until(() => expect(heard()).toContain("answer 50;"));
  expect(heard().match(/answer \d+/g)).toEqual(Array.from({ length: 50 }, (_, i) => `answer ${i + 1}`));
  expect(sockets[0].bytesRead).toBeLessThan(READ_BYTES);
  expect(sockets[0].bytesRead).toBeLessThan(count * REQUEST.length);
});

test("requests cut at any byte, with bodies and without, are answered in their order", async () => {
  const bodies: string[] = [];
  const { open } = await serve((request, response) => {
    response.end(`[${request.url}]`);
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => bodies.push(body));
  });
  const text =
    "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
    "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n" +
    "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n" +
    "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  for (const size of [1, 2, 3, 7, 50, 1000]) {
    const { socket, heard } = open();
    socket.setNoDelay(true);
    for (let at = 0; at < text.length; at += size) {
      socket.write(text.slice(at, at + size));
      await new Promise(setImmediate);
    }
    await until(() => expect(heard().match(/\[\/\d\]/g)).toEqual(["[/1]", "[/2]", "[/3]", "[/4]"]));
    expect(bodies.splice(0)).toEqual(["", "\r\n\r\n\r\n\r\n", "\r\n\r\n", ""]);
  }
});

test("who asks and says at once that nothing more comes is answered", async () => {
  const { asked, open } = await serve();
  const { socket, heard } = open();
  socket.end(REQUEST.repeat(2));
  for (let i = 1; i <= 2; i++) {
    await until(() => expect(asked).toHaveLength(i));
    asked.at(-1)!.response.end(`answer ${i};`);
  }
  await once(socket, "end");
  expect(heard()).toContain("answer 2;");
});

test("what comes behind an upgrade is for whoever takes it", async () => {
  const { server, open } = await serve();
  server.on("upgrade", (_request, socket: Socket, head: Buffer) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    socket.write(head);
    socket.pipe(socket);
  });
  const { socket, heard } = open();
  socket.write(
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst\r\n\r\n${REQUEST}`,
  );
  await until(() => expect(heard()).toContain(`first\r\n\r\n${REQUEST}`));
  socket.write("second");
  await until(() => expect(heard()).toContain("second"));
});

test("beside requests without an end everybody else on the event loop has a turn after a few of them", async () => {
  await using server = await TestWebServer.start();
  const { access } = server.relay;
  const answers = vi.spyOn(access, "headers");
  // One connection that reads nothing, one that does, and a crowd of which each asks again as soon as it is answered.
  const flood = REQUEST.replace("127.0.0.1", server.host).repeat(20_000);
  const deaf = dial(server.web.port);
  deaf.socket.pause();
  deaf.socket.write(flood);
  const crowd = Array.from({ length: 100 }, (_, i) => {
    const one = dial(server.web.port);
    one.socket.write(i === 0 ? flood : flood.slice(0, flood.length / 20));
    return one;
  });
  await until(() => expect(crowd.filter(({ heard }) => heard() === "")).toEqual([]));
  let most = 0;
  let turns = 0;
  let seen = answers.mock.calls.length;
  const first = seen;
  let counting = true;
  const count = () => {
    if (!counting) return;
    turns++;
    const now = answers.mock.calls.length;
    // An answer asks for them twice.
    most = Math.max(most, (now - seen) / 2);
    seen = now;
    setImmediate(count);
  };
  setImmediate(count);
  for (let i = 0; i < 5; i++) {
    const before = answers.mock.calls.length;
    const honest = await ask(server.web.port, "/healthz", { host: server.host });
    expect(honest.status).toBe(200);
    expect((answers.mock.calls.length - before) / 2).toBeLessThan(100);
  }
  await until(() => expect(answers.mock.calls.length - first).toBeGreaterThan(200));
  counting = false;
  expect(turns).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(HTTP_TURN_MS / HTTP_REQUEST_LEAST_MS);
}, 120_000);

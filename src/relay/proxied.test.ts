import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { PING_INTERVAL_MS } from "./limits.ts";
import { LINK, readBytes, refusedStatus, stopClock, TestRelay } from "./relay.testing.ts";
import { TestWebServer } from "./web-server.testing.ts";

let server: TestWebServer;
const publicUrls = ["https://vm.example/vm/"];

beforeAll(async () => {
  server = await TestWebServer.start({
    relay: { publicUrls, serverNames: ["vm.example"] },
    web: { proxy: { publicUrls, trusted: ["loopback"] } },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

test("the page is the same whether the proxy keeps its path or cuts it off, cleanly or not", async () => {
  for (const path of ["/", "/vm/", "//", "/vm//", "/vm/index.html"]) {
    expect(await server.get(path), path).toMatchObject({ status: 200, body: TestWebServer.PAGE });
  }
  expect(await server.get("/vm")).toMatchObject({ status: 308, headers: { location: "./vm/" } });
  expect((await server.get("/vmx/")).status).toBe(404);
});

test("the host may come as it is, rewritten, or in a header of the proxy; another name is still none of ours", async () => {
  for (const headers of [
    { host: "vm.example" },
    { host: `${server.host}` },
    { host: "internal.example", "x-forwarded-host": "vm.example" },
    { host: "internal.example", forwarded: "for=192.0.2.1;host=vm.example" },
  ]) {
    const { body } = await server.get("/vm/healthz", headers as never);
    expect(JSON.parse(body), JSON.stringify(headers)).toMatchObject({ hosting: false });
  }
  for (const headers of [
    { host: "evil.example" },
    { host: "vm.example", "x-forwarded-host": "evil.example" },
    { "x-forwarded-host": "evil.example" },
  ]) {
    expect((await server.get("/healthz", headers as never)).status).toBe(403);
  }
});

test("a request whose headers contradict each other is answered with 400", async () => {
  const answer = await server.get("/", { forwarded: "for=192.0.2.1", "x-forwarded-for": "127.0.0.1" });
  expect(answer.status).toBe(400);
});

test("pages of the public URL are our own, by either host; other pages stay outside", async () => {
  const status = (path: string, headers: Record<string, string>) =>
    refusedStatus(new WebSocket(`ws://${server.host}${path}`, { headers }));
  for (const path of ["/host", "/vm/host", "/vm/spice", "/spice"]) {
    for (const headers of [{ Host: "vm.example" }, {}]) {
      expect(await status(path, { ...headers, Origin: "https://vm.example" } as never)).toBeUndefined();
      expect(await status(path, { ...headers, Origin: "https://evil.example" } as never)).toBe(403);
    }
  }
  expect(await status("/host", { Origin: "http://vm.example" })).toBe(403);
});

test("a page at an address that nobody told of learns which option is missing; what it says is no host's", async () => {
  const config = (page: string) =>
    server.get("/config.json", { authorization: `Bearer ${server.relay.secret}`, "x-spicetab-page": page });
  for (const page of ["https://vm.example/vm/", `http://${server.host}/`, "nonsense"]) {
    expect((await config(page)).status, page).toBe(200);
  }
  const refused = await config("https://other.example/x/#secret=abc");
  expect(refused.status).toBe(403);
  expect(refused.body).toContain("start it with --public-url https://other.example/x/");
  expect(refused.body).not.toContain("abc");
});

test("links name the public URL, whoever asks", async () => {
  const request = (host: string) => ({ headers: { host }, socket: { remoteAddress: "127.0.0.1" } }) as never;
  expect(server.relay.reachable(request("127.0.0.1:8080")).webSocketUrl).toBe("wss://vm.example/vm/spice");
  expect(server.relay.reachable(request("vm.example")).webSocketUrl).toBe("wss://vm.example/vm/spice");
});

test("clients' and streams' WebSockets are pinged while nothing else travels", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  using clock = stopClock();
  const client = relay.linkingWebSocket();
  const stream = await host.join();
  await readBytes(stream, LINK.length);
  for (let ping = 0; ping < 2; ping++) {
    const pinged = Promise.all([once(client, "ping"), once(stream, "ping")]);
    clock.pass(PING_INTERVAL_MS);
    await pinged;
  }
});

/** The relay's web side as raw bytes, since every HTTP library would tidy up what matters here. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestWebServer } from "./web-server.testing.ts";

let server: TestWebServer;

beforeAll(async () => {
  server = await TestWebServer.start({
    files: { "guest/console/manifest.json": "{}" },
    relay: {
      serverNames: ["vm.example", "MyBox", "dot.example.", "bücher.example"],
      allowedOrigins: ["http://localhost:3000"],
      limits: { closeDeadlineMs: 100 },
    },
    web: { password: "pw" },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const status = (answer: string) => Number(answer.slice(9, 12));
const own = () => server.host;

function ask(
  path: string,
  headers: Record<string, string | undefined> = {},
  method = "GET",
): Promise<string> {
  const all = Object.entries({ Host: own(), Connection: "close", ...headers });
  const lines = all.flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`));
  return server.talk(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
}

const upgrade = (path: string, headers: Record<string, string | undefined> = {}) =>
  ask(path, {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    ...headers,
  });

const PATHS = [
  "/",
  "/index.html",
  "/healthz",
  "/config.json",
  "/spicetab.vv",
  "/guest/console/manifest.json",
];

describe("the name under which the server is asked", () => {
  test.each([
    ["evil.example", 403],
    ["evil.example:80", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.evil.example", 403],
    ["127.0.0.1@evil.example", 400],
    ["evil.example@127.0.0.1", 400],
    ["", 400],
    ["localhost.", 400],
    ["127.0.0.1.", 400],
    ["0x7f.1", 400],
    ["0x7f000001", 400],
    ["2130706433", 400],
    ["127.1", 400],
    ["017700000001", 400],
    ["[0:0:0:0:0:0:0:1]", 400],
    ["127.0.0.1/", 400],
    ["127.0.0.1 evil.example", 400],
    ["127.0.0.1:99999", 400],
    ["127.0.0.1:", 400],
    ["evil.example, 127.0.0.1", 400],
    ["localhost", undefined],
    ["LOCALHOST", undefined],
    ["foo.localhost", undefined],
    ["[::1]", undefined],
    ["10.1.2.3", undefined],
    ["vm.example", undefined],
    ["vm.example:8443", undefined],
    ["mybox", undefined],
    ["MYBOX:80", undefined],
    ["dot.example", undefined],
    ["xn--bcher-kva.example", undefined],
  ])("Host %j: refused everywhere with %j", async (host, refused) => {
    for (const path of PATHS) {
      const answer = await ask(path, { Host: host });
      // By a name from elsewhere there is no address to join at: SPICE listens on loopback only.
      const passed = { "/config.json": [401], "/spicetab.vv": [200, 503] }[path] ?? [200];
      expect(refused === undefined ? passed : [refused], path).toContain(status(answer));
      expect(answer).not.toContain("pw");
    }
    for (const path of ["/host", "/spice", "/spice/x", "/streams/1?token=x"]) {
      const passed = path.startsWith("/streams") ? 404 : 101;
      expect(status(await upgrade(path, { Host: host })), path).toBe(refused ?? passed);
    }
  });

  test("none, or two of them, is no name", async () => {
    expect(status(await ask("/", { Host: undefined }))).toBe(400);
    for (const path of ["/", "/config.json"]) {
      const twice = `GET ${path} HTTP/1.1\r\nHost: ${own()}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
      expect(status(await server.talk(twice))).toBe(400);
    }
    expect(status(await server.talk("GET / HTTP/1.0\r\n\r\n"))).toBe(400);
  });

  test("it is asked for while the server is still being prepared, too", async () => {
    server.web.ready = false;
    try {
      expect(status(await ask("/"))).toBe(503);
      expect(status(await ask("/", { Host: "evil.example" }))).toBe(403);
    } finally {
      server.web.ready = true;
    }
  });
});

describe("pages of other origins", () => {
  const self = (): [string, number, number, number][] => [
    [`http://${own()}`, 101, 101, 404],
    [`https://${own()}`, 101, 101, 404],
    ["http://localhost:3000", 403, 101, 403],
    ["http://localhost:3001", 403, 403, 403],
    ["http://127.0.0.1:9999", 403, 403, 403],
    ["http://127.0.0.1", 403, 403, 403],
    ["http://evil.localhost:1", 403, 403, 403],
    ["http://evil.example", 403, 403, 403],
    ["null", 403, 403, 403],
    ["file://", 403, 403, 403],
    ["", 403, 403, 403],
    ["chrome-extension://abcdef", 403, 403, 403],
    [`http://${own()}.evil.example`, 403, 403, 403],
    [`http://${own()}@evil.example`, 403, 403, 403],
    [`http://user@${own()}`, 403, 403, 403],
    [`http://${own()}/path`, 403, 403, 403],
    [`http://${own()}, http://evil.example`, 403, 403, 403],
  ];
  test("host, join and open streams only where they may", async () => {
    for (const [origin, host, spice, streams] of self()) {
      const headers = { Origin: origin };
      expect(status(await upgrade("/host", headers)), `${origin} /host`).toBe(host);
      expect(status(await upgrade("/spice", headers)), `${origin} /spice`).toBe(spice);
      expect(status(await upgrade("/streams/1?token=x", headers)), `${origin} /streams`).toBe(streams);
    }
  });
});

/** What never becomes a request to Node, or what Node answers by itself, and the status that it gets. */
const broken = (): [string, number][] => {
  const host = `Host: ${own()}\r\n`;
  return [
    [`GET / HTTP/1.1\r\n${host}X: ${"a".repeat(100_000)}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\n${host}${"X: a\r\n".repeat(20_000)}\r\n`, 431],
    [`POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, 400],
    [`GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`, 400],
    [`GET / HTTP/1.1\r\n${host} folded: a\r\n\r\n`, 400],
    ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    [`GET / HTTP/1.1\r\n${host}Expect: a-miracle\r\nConnection: close\r\n\r\n`, 417],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["REDQ\x02\x00\x00\x00\x02\x00\x00\x00", 400],
  ];
};

test("every answer has the policy's headers, whatever it is", async () => {
  const answers = [
    ...(await Promise.all(PATHS.map((path) => ask(path)))),
    await ask("/nothing"),
    await ask("/", {}, "POST"),
    await ask("/", { Host: "evil.example" }),
    await upgrade("/streams/1?token=x"),
    await upgrade("/other"),
    await upgrade("/spice", { Origin: "http://evil.example" }),
    ...(await Promise.all(broken().map(([text]) => server.talk(text)))),
  ];
  for (const answer of answers) {
    const [head] = answer.split("\r\n\r\n");
    for (const line of [
      "Cross-Origin-Opener-Policy: same-origin",
      "Cross-Origin-Resource-Policy: same-origin",
      "Referrer-Policy: no-referrer",
      "X-Content-Type-Options: nosniff",
      "X-Frame-Options: DENY",
    ]) {
      expect(head).toContain(line);
    }
    expect(head.match(/Content-Security-Policy: .*frame-ancestors 'none'/g)).toHaveLength(1);
    expect(head).not.toMatch(/unsafe-inline|'unsafe-eval'| \*|connect-src[^;]* wss?:[; ]/);
    expect(head).not.toMatch(/access-control-allow/i);
  }
  expect(answers[0]).toContain(`connect-src 'self' ws://${own()} wss://${own()};`);
});

test.each([
  ["POST", 405],
  ["PUT", 405],
  ["DELETE", 405],
  ["OPTIONS", 405],
  ["TRACE", 405],
])("%s is not for pages that only give: %i", async (method, code) => {
  for (const path of ["/", "/healthz", "/config.json"])
    expect(status(await ask(path, {}, method))).toBe(code);
});

test("what is no path, or leads out of the folders, gets no file", async () => {
  for (const path of [
    "/../package.json",
    "/..%2fpackage.json",
    "/%2e%2e/package.json",
    "/guest/..%2f..%2fpackage.json",
    "/guest/console/..;/../../package.json",
    "/..%5cpackage.json",
    "/%00",
    "//etc/passwd",
    "/%252e%252e/package.json",
    "/.git/config",
    "/guest/.console/x",
    "http://x/../../package.json",
    "/guest//etc/passwd",
    "/assets/%E0%A4%A",
    "*",
  ]) {
    expect([400, 404], path).toContain(status(await ask(path)));
  }
});

test("what is no proper HTTP is answered as such, and closed", async () => {
  for (const [text, code] of broken()) {
    const answer = await server.talk(text);
    expect(status(answer), text.slice(0, 80)).toBe(code);
    expect(answer.match(/HTTP\/1\.1/g), "one answer").toHaveLength(1);
  }
  // Behind a good request on the same connection, too.
  const both = await server.talk(`GET /healthz HTTP/1.1\r\nHost: ${own()}\r\n\r\nnonsense\r\n\r\n`);
  expect(both).toMatch(/^HTTP\/1\.1 (200|400)/);
});

test("upgrades that are none of ours are refused with a word", async () => {
  expect(status(await upgrade("/other"))).toBe(404);
  expect(status(await ask("/", { Connection: "Upgrade", Upgrade: "h2c" }))).toBe(404);
  expect(status(await upgrade("/spice", { "Sec-WebSocket-Version": "99" }))).toBe(400);
  expect(status(await upgrade("/spice", { "Sec-WebSocket-Key": "x" }))).toBe(400);
  const offered = await upgrade("/spice", { "Sec-WebSocket-Extensions": "permessage-deflate" });
  expect(status(offered)).toBe(101);
  expect(offered).not.toMatch(/permessage-deflate/i);
});

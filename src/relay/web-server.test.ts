import { afterAll, beforeAll, expect, test } from "vitest";
import type { PageConfig } from "./page-requests.ts";
import { TestWebServer } from "./web-server.testing.ts";

let server: TestWebServer;

beforeAll(async () => {
  server = await TestWebServer.start({
    files: {
      secret: "secret",
      "dist/.stamp": "secret",
      "dist/assets/a.js": "1",
      "guest/console/bzimage": "0123456789",
    },
    web: { password: "pw" },
    ready: false,
  });
  expect((await server.get("/")).status).toBe(503);
  server.web.ready = true;
});

afterAll(() => server[Symbol.asyncDispose]());

test("the page comes with a policy, its hashed files stay cached", async () => {
  const page = await server.get("/");
  expect(page.body).toContain("page");
  expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  expect(page.headers["cache-control"]).toBe("no-cache");
  expect((await server.get("/assets/a.js")).headers["cache-control"]).toContain("immutable");
  const again = await server.get("/", { "if-none-match": String(page.headers.etag) });
  expect(again.status).toBe(304);
});

test("guest files tell their length, and are cached only under a build", async () => {
  const file = await server.get("/guest/console/bzimage");
  expect(file).toMatchObject({ status: 200, body: "0123456789" });
  expect(file.headers["content-length"]).toBe("10");
  expect(file.headers["cache-control"]).toBe("no-cache");
  expect((await server.get("/guest/console/bzimage?build=abc")).headers["cache-control"]).toContain(
    "immutable",
  );
  expect((await server.get("/guest/desktop/manifest.json")).body).toContain("npm run guest");
});

test.each([
  "/../secret",
  "/%2e%2e/secret",
  "/..%2fsecret",
  "/guest/../secret",
  "/.stamp",
  "/%00",
  "/%",
  "/a\\b",
])("%s leads nowhere", async (path) => {
  const done = await server.get(path);
  expect(done.status).toBe(404);
  expect(done.body).not.toContain("secret");
});

test("the configuration with the password goes to whoever knows the secret, and to nobody else", async () => {
  const { secret } = server.relay;
  const own = { authorization: `Bearer ${secret}` };
  const config = JSON.parse((await server.get("/config.json", own)).body) as PageConfig;
  expect(config).toMatchObject({ guest: "console", password: "pw", guestBaseUrl: "guest/console/" });
  expect(config.spice).toEqual([{ host: "127.0.0.1", port: server.spicePort }]);
  const others: [Record<string, string>, number][] = [
    [{}, 401],
    [{ "sec-fetch-site": "same-origin" }, 401],
    [{ authorization: "Bearer" }, 401],
    [{ authorization: "Bearer " }, 401],
    [{ authorization: `Basic ${secret}` }, 401],
    [{ authorization: `Bearer ${secret}x` }, 401],
    [{ authorization: `Bearer ${secret.slice(1)}` }, 401],
    [{ cookie: `secret=${secret}` }, 401],
    [{ ...own, host: "evil.example" }, 403],
  ];
  for (const [headers, status] of others) {
    const refused = await server.get("/config.json", headers);
    expect(refused.status).toBe(status);
    expect(refused.body).not.toContain("pw");
  }
  expect((await server.get(`/config.json?secret=${secret}`)).status).toBe(401);
});

test("the configuration says how long the password is still good, never less than not at all", async () => {
  const now = Date.now();
  for (const [validUntil, least, most] of [
    [undefined, undefined, undefined],
    [now + 3_600_000, 3_000_000, 3_600_000],
    [now - 3_600_000, 0, 0],
  ] as const) {
    await using expiring = await TestWebServer.start({
      web: { password: "pw", passwordValidUntil: validUntil },
    });
    const own = { authorization: `Bearer ${expiring.relay.secret}` };
    const { passwordValidForMs } = JSON.parse((await expiring.get("/config.json", own)).body) as PageConfig;
    if (least === undefined) expect(passwordValidForMs).toBeUndefined();
    else {
      expect(passwordValidForMs).toBeGreaterThanOrEqual(least);
      expect(passwordValidForMs).toBeLessThanOrEqual(most);
    }
  }
});

test("the connection file names host and port, and holds no password", async () => {
  const file = await server.get("/spicetab.vv");
  expect(file.headers["content-type"]).toContain("application/x-virt-viewer");
  expect(file.body).toContain(`[virt-viewer]\ntype=spice\nhost=127.0.0.1\nport=${server.spicePort}\n`);
  expect(file.body).not.toContain("pw");
});

test("health is open, other methods are not", async () => {
  expect(JSON.parse((await server.get("/healthz")).body)).toMatchObject({
    hosting: false,
    connections: 0,
    webSocketUrl: expect.stringMatching(/^ws:.*\/spice$/),
  });
  expect((await server.get("/healthz", {}, "POST")).status).toBe(405);
  expect((await server.get("/healthz", {}, "HEAD")).body).toBe("");
});

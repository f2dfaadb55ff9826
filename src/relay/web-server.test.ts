import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRelay } from "./relay.ts";
import type { Relay } from "./relay.ts";
import type { PageConfig } from "./page-requests.ts";
import { WebServer } from "./web-server.ts";

let relay: Relay;
let folder: string;
let server: WebServer;
let spicePort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spicetab-web-"));
  await mkdir(join(folder, "dist/assets"), { recursive: true });
  await mkdir(join(folder, "guest/console"), { recursive: true });
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "dist/.stamp"), "secret");
  await writeFile(join(folder, "dist/index.html"), "<title>page</title>");
  await writeFile(join(folder, "dist/assets/a.js"), "1");
  await writeFile(join(folder, "guest/console/bzimage"), "0123456789");
  relay = createRelay({ spicePort: 0 });
  spicePort = (await relay.listen()).port;
  server = new WebServer({
    relay,
    hosts: ["127.0.0.1"],
    port: 0,
    version: "1",
    guest: "console",
    password: "pw",
    pageFolder: join(folder, "dist"),
    guestFolder: join(folder, "guest"),
  });
  await server.listen();
  expect((await get("/")).status).toBe(503);
  server.ready = true;
});

afterAll(async () => {
  server[Symbol.dispose]();
  await relay[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** node:http, because fetch would tidy up the paths and forbid the headers that matter here. */
async function get(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status?: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const ask = request({ host: "127.0.0.1", port: server.port, path, headers, method }, (response) => {
        let body = "";
        response.on("data", (piece) => (body += piece));
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
      });
      ask.on("error", reject);
      ask.end();
    },
  );
}

test("the page comes with a policy, its hashed files stay cached", async () => {
  const page = await get("/");
  expect(page.body).toContain("page");
  expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  expect(page.headers["cache-control"]).toBe("no-cache");
  expect((await get("/assets/a.js")).headers["cache-control"]).toContain("immutable");
  const again = await get("/", { "if-none-match": String(page.headers.etag) });
  expect(again.status).toBe(304);
});

test("guest files tell their length, and are cached only under a build", async () => {
  const file = await get("/guest/console/bzimage");
  expect(file).toMatchObject({ status: 200, body: "0123456789" });
  expect(file.headers["content-length"]).toBe("10");
  expect(file.headers["cache-control"]).toBe("no-cache");
  expect((await get("/guest/console/bzimage?build=abc")).headers["cache-control"]).toContain("immutable");
  expect((await get("/guest/desktop/manifest.json")).body).toContain("npm run guest");
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
  const done = await get(path);
  expect(done.status).toBe(404);
  expect(done.body).not.toContain("secret");
});

test("the configuration with the password goes to whoever knows the secret, and to nobody else", async () => {
  const { secret } = relay;
  const own = { authorization: `Bearer ${secret}` };
  const config = JSON.parse((await get("/config.json", own)).body) as PageConfig;
  expect(config).toMatchObject({ guest: "console", password: "pw", guestBaseUrl: "guest/console/" });
  expect(config.spice).toEqual([{ host: "127.0.0.1", port: spicePort }]);
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
    const refused = await get("/config.json", headers);
    expect(refused.status).toBe(status);
    expect(refused.body).not.toContain("pw");
  }
  expect((await get(`/config.json?secret=${secret}`)).status).toBe(401);
});

test("the connection file names host and port, and holds no password", async () => {
  const file = await get("/spicetab.vv");
  expect(file.headers["content-type"]).toContain("application/x-virt-viewer");
  expect(file.body).toContain(`[virt-viewer]\ntype=spice\nhost=127.0.0.1\nport=${spicePort}\n`);
  expect(file.body).not.toContain("pw");
});

test("health is open, other methods are not", async () => {
  expect(JSON.parse((await get("/healthz")).body)).toMatchObject({
    hosting: false,
    connections: 0,
    webSocketUrl: expect.stringMatching(/^ws:.*\/spice$/),
  });
  expect((await get("/healthz", {}, "POST")).status).toBe(405);
  expect((await get("/healthz", {}, "HEAD")).body).toBe("");
});

import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { createRelay } from "./relay.ts";
import { WebServer } from "./web-server.ts";

const owned: (Disposable | AsyncDisposable)[] = [];
afterEach(async () => {
  for (const one of owned.splice(0).toReversed())
    await (Symbol.asyncDispose in one ? one[Symbol.asyncDispose]() : one[Symbol.dispose]());
});

async function unpreparedServer(): Promise<WebServer> {
  const relay = createRelay({ spicePort: 0 });
  await relay.listen();
  const none = "/nonexistent";
  const shared = { relay, version: "1", guest: "console", pageFolder: none, guestFolder: none } as const;
  const server = new WebServer({ ...shared, hosts: ["127.0.0.1"], port: 0 });
  await server.listen();
  owned.push(relay, server);
  return server;
}

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

function get(server: WebServer, path: string, accept = "*/*"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ask = request({ host: "127.0.0.1", port: server.port, path, headers: { accept } }, (response) => {
      let body = "";
      response.on("data", (piece) => (body += piece));
      response.on("end", () =>
        resolve({ status: response.statusCode, type: response.headers["content-type"], body }),
      );
    });
    ask.on("error", reject);
    ask.end();
  });
}

test("a browser that comes too early gets a page which watches the progress and reloads itself", async () => {
  const server = await unpreparedServer();
  const page = await get(server, "/", "text/html,application/xhtml+xml");
  expect(page).toMatchObject({ status: 503, type: "text/html; charset=utf-8" });
  const [, script] = /src="([^"]+)"/.exec(page.body)!;
  expect(script, "relative, so that it is found below any path").not.toMatch(/^\/|:/);
  const code = await get(server, `/${script}`);
  expect(code).toMatchObject({ status: 200, type: "text/javascript; charset=utf-8" });
  expect(code.body).toContain("location.reload()");

  server.preparing = "Unpacking packages, 3/10";
  const [, asked] = /fetch\("([^"]+)"/.exec(code.body)!;
  const status = await get(server, `/${asked}`);
  expect(status.status).toBe(503);
  expect(JSON.parse(status.body)).toEqual({ progress: "Unpacking packages, 3/10" });

  server.ready = true;
  expect((await get(server, `/${asked}`)).status, "what ends the wait").toBe(404);
});

test("a program that comes too early is told so in a sentence", async () => {
  const server = await unpreparedServer();
  for (const path of ["/", "/config.json", "/guest/console/manifest.json"]) {
    const answer = await get(server, path);
    expect(answer).toMatchObject({ status: 503, type: "text/plain; charset=utf-8" });
    expect(answer.body).toContain("still being prepared");
  }
});

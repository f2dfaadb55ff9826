import { expect, test } from "vitest";
import { TestWebServer } from "./web-server.testing.ts";

test("a browser that comes too early gets a page which watches the progress and reloads itself", async () => {
  await using server = await TestWebServer.start({ ready: false });
  const page = await server.get("/", { accept: "text/html,application/xhtml+xml" });
  expect(page).toMatchObject({ status: 503, headers: { "content-type": "text/html; charset=utf-8" } });
  const [, script] = /src="([^"]+)"/.exec(page.body)!;
  expect(script, "relative, so that it is found below any path").not.toMatch(/^\/|:/);
  const code = await server.get(`/${script}`);
  expect(code).toMatchObject({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8" } });
  expect(code.body).toContain("location.reload()");

  server.web.preparing = "Unpacking packages, 3/10";
  const [, asked] = /fetch\("([^"]+)"/.exec(code.body)!;
  const status = await server.get(`/${asked}`);
  expect(status.status).toBe(503);
  expect(JSON.parse(status.body)).toEqual({ progress: "Unpacking packages, 3/10" });

  server.web.ready = true;
  expect((await server.get(`/${asked}`)).status, "what ends the wait").toBe(404);
});

test("a program that comes too early is told so in a sentence", async () => {
  await using server = await TestWebServer.start({ ready: false });
  for (const path of ["/", "/config.json", "/guest/console/manifest.json"]) {
    const answer = await server.get(path);
    expect(answer).toMatchObject({ status: 503, headers: { "content-type": "text/plain; charset=utf-8" } });
    expect(answer.body).toContain("still being prepared");
  }
});

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, createServer } from "vite";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { RELAY_CONTROL_PROTOCOL } from "../relay-control/index.ts";
import { LINK } from "./relay.testing.ts";
import type { PageConfig } from "./page-requests.ts";
import spicetabRelay from "./vite-plugin.ts";

test("a Vite development server carries the relay: page, clients, hosting tab, and still its own reloads", async () => {
  const root = await mkdtemp(join(tmpdir(), "spicetab-vite-"));
  await writeFile(join(root, "index.html"), "<!doctype html><title>a page of somebody's own</title>");
  const secret = "a-secret-of-22-letters-and-more";
  const printed: string[] = [];
  const logger = createLogger("info", { allowClearScreen: false });
  logger.info = (line) => printed.push(line);
  const server = await createServer({
    root,
    configFile: false,
    customLogger: logger,
    server: { host: "127.0.0.1", port: 0, strictPort: false },
    plugins: [spicetabRelay({ spicePort: 0, password: "open sesame", guest: "console", secret })],
  });
  try {
    await server.listen();
    const { port } = server.httpServer!.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    server.printUrls();
    expect(printed.join("\n")).toContain(`The machine: ${url}/#secret=${secret}`);
    expect((await fetch(`${url}/config.json`)).status).toBe(401);
    expect(await (await fetch(`${url}/`)).text()).toContain("a page of somebody's own");

    const answer = await fetch(`${url}/config.json`, { headers: { Authorization: `Bearer ${secret}` } });
    const config = (await answer.json()) as PageConfig;
    expect(config).toMatchObject({
      guest: "console",
      password: "open sesame",
      webSocketUrl: `ws://127.0.0.1:${port}/spice`,
    });

    const tab = new WebSocket(`ws://127.0.0.1:${port}/host`, { headers: { Origin: url } });
    await once(tab, "open");
    tab.send(
      JSON.stringify({
        type: "hello",
        protocol: RELAY_CONTROL_PROTOCOL,
        name: "tab",
        version: "dev",
        hostId: "one",
        secret,
      }),
    );
    const [welcome] = await once(tab, "message");
    expect(JSON.parse(String(welcome))).toMatchObject({ type: "welcome" });

    // A client dials, and the tab is asked for a stream.
    const client = connect(config.spice[0].port, "127.0.0.1");
    client.write(LINK);
    const [open] = await once(tab, "message");
    expect(JSON.parse(String(open))).toMatchObject({ type: "open", peer: { transport: "tcp" } });
    client.destroy();

    const reloads = new WebSocket(
      `ws://127.0.0.1:${port}/?token=${server.config.webSocketToken}`,
      "vite-hmr",
      {
        headers: { Origin: url },
      },
    );
    const [hello] = await once(reloads, "message");
    expect(JSON.parse(String(hello))).toEqual({ type: "connected" });
    reloads.terminate();
    tab.terminate();
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
});

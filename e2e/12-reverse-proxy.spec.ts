import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { RecordingChannel } from "../src/client/client.testing.ts";
import { link } from "../src/client/index.ts";
import { ChannelType, inputsChannel, mainChannel } from "../src/protocol/index.ts";
import { LINK, TestRelay } from "../src/relay/relay.testing.ts";
import { HostTab, Server, freePort } from "./support/host.ts";
import { html5Picture, serveHtml5Client } from "./support/html5-client.ts";
import { PageServer } from "./support/page-server.ts";
import { fullHeaderScreenshotBy } from "./support/plain-client.ts";
import { difference } from "./support/ppm.ts";
import {
  Certificate,
  IDLE_TIMEOUT_SECONDS,
  PUBLIC_NAME,
  ReverseProxy,
  dialProxy,
  type ProxyName,
} from "./support/reverse-proxies.ts";

let certificate: Certificate;
let profile: string;
/** Both proxies have the same address, one after the other, so that the second finds the machine that the first one's page kept. */
let port: number;

test.beforeAll(async () => {
  certificate = await Certificate.make();
  profile = await mkdtemp(join(tmpdir(), "spicetab-proxied-"));
  port = await freePort();
});
test.afterAll(async () => {
  await certificate[Symbol.asyncDispose]();
  await rm(profile, { recursive: true, force: true });
});

test("nginx ends a WebSocket on which nothing travels, and none that the relay pings often enough", async () => {
  for (const [pingIntervalMs, end] of [
    [600_000, "cut"],
    [(IDLE_TIMEOUT_SECONDS * 1_000) / 2, "lasted"],
  ] as const) {
    await using relay = await TestRelay.start({ serverNames: [PUBLIC_NAME], limits: { pingIntervalMs } });
    await using _proxy = await ReverseProxy.start("nginx", port, relay.httpPort, certificate);
    const host = await relay.host();
    const { socket } = await dialProxy(`wss://${PUBLIC_NAME}:${port}/vm/spice`, certificate);
    socket.send(LINK);
    await host.join();
    let pinged = 0;
    const cut = new Promise((resolve) => socket.once("close", () => resolve("cut")));
    const lasted = new Promise((resolve) => {
      socket.on("ping", () => ++pinged > 6 && resolve("lasted"));
    });
    expect(await Promise.race([cut, lasted])).toBe(end);
    socket.terminate();
  }
});

async function pause(tab: HostTab): Promise<void> {
  await tab.page.evaluate(() => window.spicetab.session.threads?.guest.send("pause", {}));
  await tab.until(() => window.spicetab.session.state.phase === "paused");
}

async function resume(tab: HostTab): Promise<void> {
  await tab.page.evaluate(() => window.spicetab.session.threads?.guest.send("resume", {}));
  await tab.until(() => window.spicetab.session.state.phase === "running");
}

for (const name of ["nginx", "caddy"] satisfies ProxyName[]) {
  test(`behind ${name}, with TLS, under a path and another name: the page hosts, clients join, idle connections last`, async () => {
    const folder = `https://${PUBLIC_NAME}:${port}/vm/`;
    const clients = `wss://${PUBLIC_NAME}:${port}/vm/spice`;
    const html5 = await serveHtml5Client();
    const pings = String(IDLE_TIMEOUT_SECONDS / 2);
    const html5Origin = new URL(html5.url).origin;
    const options = ["--public-url", folder, "--trust-proxy", "loopback", "--ping-interval", pings];
    await using server = await Server.start("--guest", "console", "--allow-origin", html5Origin, ...options);
    await using _proxy = await ReverseProxy.start(name, port, server.httpPort, certificate);

    // Without its last slash, as people type it.
    const address = folder.slice(0, -1) + new URL(server.url).hash;
    const failed: string[] = [];
    await using tab = await HostTab.open("about:blank", {
      profile,
      waitForHost: false,
      args: certificate.browserArguments,
    });
    tab.page.on("response", (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
    });
    tab.page.on("requestfailed", (request) =>
      failed.push(`${request.url()} ${request.failure()?.errorText}`),
    );
    await tab.page.goto(address);
    await tab.page.waitForFunction(() => "spicetab" in window);
    await tab.until(() => window.spicetab.session.state.join.relay === "connected");
    await tab.until(() => window.spicetab.session.state.width > 0);
    const join = await tab.page.evaluate(() => window.spicetab.session.state.join);
    expect(join.webSocketUrl).toBe(clients);
    expect(new URL(tab.page.url()).pathname).toBe("/vm/");
    expect(failed).toEqual([]);

    // However far it has booted: a machine that is paused shows the same to all.
    await pause(tab);

    await test.step("a client of our own sees what the tab shows", async () => {
      const seen = await fullHeaderScreenshotBy(
        async () => (await dialProxy(clients, certificate)).transport,
      );
      expect(difference(seen, await tab.restingSurface())).toBeUndefined();
    });

    await test.step("spice-html5 in another browser shows the same", async () => {
      const page = await tab.context.newPage();
      await page.goto(`${html5.url}?uri=${encodeURIComponent(clients)}`);
      await page.waitForSelector("#spice-screen canvas", { timeout: 60_000 });
      await expect
        .poll(async () => difference(await html5Picture(page), await tab.surface()) ?? "equal", {
          timeout: 90_000,
        })
        .toBe("equal");
      await page.close();
    });

    await test.step("a connection on which nothing travels outlives the proxy's patience, and then works", async () => {
      const main = await dialProxy(clients, certificate);
      await link(main.transport, { channelType: ChannelType.Main });
      const session = new RecordingChannel(main.transport, mainChannel);
      await expect.poll(() => session.find(mainChannel.server.init)).toBeDefined();
      const connectionId = session.find(mainChannel.server.init)!.sessionId;
      const inputs = await dialProxy(clients, certificate);
      let pinged = 0;
      inputs.socket.on("ping", () => pinged++);
      await link(inputs.transport, { channelType: ChannelType.Inputs, connectionId });
      const keys = new RecordingChannel(inputs.transport, inputsChannel);
      await expect.poll(() => pinged, { timeout: 60_000 }).toBeGreaterThan(3 * 2);
      expect(inputs.socket.readyState).toBe(inputs.socket.OPEN);
      expect(main.socket.readyState).toBe(main.socket.OPEN);
      const before = await tab.surface();
      await resume(tab);
      keys.send(inputsChannel.client.keyScancode, { data: new Uint8Array([0x1e, 0x9e]) });
      await expect
        .poll(async () => difference(await tab.surface(), before) ?? "same", { timeout: 200_000 })
        .not.toBe("same");
      expect(await tab.page.evaluate(() => window.spicetab.session.state.join.relay)).toBe("connected");
      main.socket.terminate();
      inputs.socket.terminate();
    });

    expect(tab.errors).toEqual([]);
    html5.close();
    await tab.leave();
  });
}

test("whoever opens the page without the secret is told how to join, and no password", async () => {
  await using server = await PageServer.start({ password: "open sesame" });
  await using tab = await HostTab.open(server.origin, { profile });
  const panel = tab.page.getByRole("complementary", { name: "Machine" });
  const [{ port }] = server.relay.spice;
  await expect(panel).toContainText("Nobody hosts the machine yet.");
  await expect(panel).toContainText(`remote-viewer spice://127.0.0.1:${port}`);
  await expect(panel).toContainText(`ws://127.0.0.1:${server.web.port}/spice`);
  await expect(panel).not.toContainText("Password");
});

test("a page that a proxy shows under a name nobody told the server of says what to do", async () => {
  await using server = await Server.start("--guest", "console");
  await using _proxy = await ReverseProxy.start("nginx", port, server.httpPort, certificate);
  await using tab = await HostTab.open("about:blank", {
    profile,
    waitForHost: false,
    args: certificate.browserArguments,
  });
  const answer = await tab.page.goto(`https://${PUBLIC_NAME}:${port}/vm/${new URL(server.url).hash}`);
  expect(await tab.page.locator("body").innerText(), String(answer?.status())).toContain("--public-url");
});

import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "./support/stock-clients.ts";

test("two clients see the same desktop, one leaves in peace; a closed tab ends them, a reopened one lets them in", async () => {
  await using server = await Server.start();
  await using x = await XvfbDisplay.start();
  const viewer = () =>
    new Program("remote-viewer", [`spice://127.0.0.1:${server.spicePort}`], {
      env: { ...x.env, NO_AT_BRIDGE: "1" },
    });
  const tab = await HostTab.open(server.url);
  await tab.ready();
  await using first = viewer();
  const second = viewer();
  const withDisplay = () =>
    window.spicetab.session.state.clients.filter((client) => client.channels.includes("display")).length;

  await test.step("both are listed and both take the picture", async () => {
    await expect.poll(() => tab.page.evaluate(withDisplay), { timeout: 60_000 }).toBe(2);
    const expected = await tab.restingSurface();
    const shot = await spicyScreenshot(server.spicePort);
    expect(difference(shot.picture!, expected)).toBeUndefined();
  });

  await test.step("one leaves, the other stays", async () => {
    await second[Symbol.asyncDispose]();
    await expect.poll(() => tab.page.evaluate(withDisplay), { timeout: 30_000 }).toBe(1);
    expect(first.child.exitCode).toBeNull();
    const shot = await spicyScreenshot(server.spicePort);
    expect(difference(shot.picture!, await tab.restingSurface())).toBeUndefined();
  });

  await test.step("closing the tab ends the client and new ones hear why", async () => {
    await tab[Symbol.asyncDispose]();
    // remote-viewer leaves by itself when its server is gone.
    await expect.poll(() => first.child.exitCode !== null || first.stderr, { timeout: 60_000 }).toBeTruthy();
    const refused = await spicyScreenshot(server.spicePort, { deadlineMs: 20_000 });
    expect(refused.code).not.toBe(0);
    expect(refused.picture).toBeUndefined();
  });

  await test.step("reopening the tab lets clients in again", async () => {
    await using again = await HostTab.open(server.url);
    await again.ready();
    const expected = await again.restingSurface();
    const shot = await spicyScreenshot(server.spicePort);
    expect(shot.code, shot.stderr).toBe(0);
    expect(difference(shot.picture!, expected)).toBeUndefined();
  });
});

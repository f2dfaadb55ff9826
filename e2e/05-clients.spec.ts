import { expect, test } from "@playwright/test";
import { RecordingChannel } from "../src/client/client.testing.ts";
import { link } from "../src/client/index.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, LinkErr, mainChannel } from "../src/protocol/index.ts";
import { HostTab, Server } from "./support/host.ts";
import { difference, type Picture } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "./support/stock-clients.ts";
import { crop, locate } from "./support/text-screen.ts";

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
  let corner: Picture;
  const withDisplay = () =>
    window.spicetab.session.state.clients.filter((client) => client.channels.includes("display")).length;

  await test.step("both are listed and both take the picture", async () => {
    await expect.poll(() => tab.page.evaluate(withDisplay), { timeout: 60_000 }).toBe(2);
    const expected = await tab.restingSurface();
    const shot = await spicyScreenshot(server.spicePort);
    expect(difference(shot.picture!, expected)).toBeUndefined();
    // Two windows without a window manager lie one over the other: one of them is seen.
    corner = crop(expected, 30, 50, 300, 200);
    await expect.poll(async () => locate(corner, await x.picture()), { timeout: 60_000 }).toBeDefined();
  });

  await test.step("one leaves, the other stays", async () => {
    await second[Symbol.asyncDispose]();
    await expect.poll(() => tab.page.evaluate(withDisplay), { timeout: 30_000 }).toBe(1);
    expect(first.child.exitCode).toBeNull();
    const shot = await spicyScreenshot(server.spicePort);
    expect(difference(shot.picture!, await tab.restingSurface())).toBeUndefined();
  });

  await test.step("closing the tab tells the clients, and new ones hear why there is nothing", async () => {
    const transport = await dialTcp(server.spicePort);
    await link(transport, { channelType: ChannelType.Main });
    const main = new RecordingChannel(transport, mainChannel, { answers: true });
    await expect.poll(() => main.names).toContain("init");
    await tab.leave();
    await expect.poll(() => main.closed, { timeout: 30_000 }).toBeDefined();
    expect(main.names).toContain("notify");
    expect(main.find(mainChannel.server.disconnecting)?.reason).toBe(LinkErr.Ok);
    transport.socket.destroy();
    // remote-viewer leaves, or says that its server is gone: its picture of the desktop is no longer there.
    await expect
      .poll(async () => first.child.exitCode !== null || locate(corner, await x.picture()) === undefined, {
        timeout: 60_000,
      })
      .toBe(true);
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

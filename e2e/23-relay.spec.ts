import { writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { expect as expectNow, test } from "@playwright/test";
import { linkError } from "../src/client/client.testing.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, LinkErr } from "../src/protocol/index.ts";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "./support/stock-clients.ts";

/** Each waits for what comes, however busy the machine is. */
const expect = expectNow.configure({ timeout: 60_000 });

test("a relay that freezes or is killed: the page says what is so, and hosts again by itself when it is back", async () => {
  const secretFile = test.info().outputPath("secret");
  await writeFile(secretFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
  let server = await Server.start("--secret-file", secretFile);
  await using _ = { [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]() };
  await using x = await XvfbDisplay.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const { spicePort } = server;
  await using viewer = new Program("remote-viewer", [`spice://127.0.0.1:${spicePort}`], {
    env: { ...x.env, NO_AT_BRIDGE: "1" },
  });
  const sessions = () =>
    tab.page.evaluate(() =>
      window.spicetab.session.state.clients
        .filter(({ channels }) => channels.length >= 4)
        .map(({ id, since }) => `${id} ${since}`),
    );
  await expect.poll(sessions).toHaveLength(1);
  const words = tab.page.locator("join-panel").getByRole("status");
  await expect(words).toHaveText("Any SPICE client can join now.");

  await test.step("frozen: nobody can join, and who is in stays", async () => {
    server.program.signal("SIGSTOP");
    await expect(words).toHaveText("Nobody can join now: the relay does not answer. Trying again …");
    // The machine itself goes on.
    expect(await tab.page.evaluate(() => window.spicetab.session.state.phase)).toBe("running");
    server.program.signal("SIGCONT");
    await expect(words).toHaveText("Any SPICE client can join now.");
    const transport = await dialTcp(spicePort);
    expect(await linkError(transport, { channelType: ChannelType.Main })).toBe(LinkErr.Ok);
    transport.socket.destroy();
    // Its connection is that of before, since remote-viewer makes no second one by itself; core may have taken it up under another number.
    expect(await sessions()).toHaveLength(1);
    expect(viewer.child.exitCode).toBeNull();
  });

  await test.step("killed and started again: clients are gone, and anybody can join again", async () => {
    const port = String(spicePort);
    server.program.signal("SIGKILL");
    await expect(words).toHaveText("Nobody can join now: the relay cannot be reached. Trying again …");
    await expect(tab.page.locator("clients-panel").getByText("Nobody but you.")).toBeVisible();
    await server[Symbol.asyncDispose]();
    server = await Server.start("--secret-file", secretFile, "--spice-port", port);
    await expect(words).toHaveText("Any SPICE client can join now.");
    const surface = await tab.restingSurface(500);
    expect(difference((await spicyScreenshot(spicePort)).picture!, surface)).toBeUndefined();
  });
  expect(tab.errors).toEqual([]);
});

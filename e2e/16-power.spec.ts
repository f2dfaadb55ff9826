import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { ChannelType, mainChannel } from "../src/protocol/index.ts";
import { ChannelAtClient, linkAsClient } from "../src/server/link-client.testing.ts";
import { HostTab, Server } from "./support/host.ts";
import { dialTcp } from "./support/plain-client.ts";

const OFF = "The machine is switched off.";

/** A client's main channel, and what it was told in words. */
async function joinMain(port: number) {
  const { socket, stream } = await dialTcp(port);
  const link = await linkAsClient(stream, { channelType: ChannelType.Main, channelCaps: [0xf] });
  expect(link.resultError).toBe(0);
  const main = new ChannelAtClient(stream, mainChannel);
  const words = () =>
    main.messages.flatMap((message) => message.as(mainChannel.server.notify)?.message ?? []);
  return { words, isConnected: () => !socket.destroyed, [Symbol.dispose]: () => void socket.destroy() };
}

test("a guest that switches off is off: everybody is told, nothing of it is kept, and it can go on", async () => {
  const profile = await mkdtemp(join(tmpdir(), "spicetab-power-"));
  try {
    await using server = await Server.start("--guest", "console", "--keyboard", "de");
    await using tab = await HostTab.open(server.url, { profile });
    await tab.ready();
    const { page } = tab;
    const state = () => page.evaluate(() => window.spicetab.session.state);
    // The option reaches the console, too.
    await expect.poll(async () => (await state()).keyboard.layout, { timeout: 120_000 }).toBe("de");
    const type = (text: string) =>
      page.evaluate(
        (line) => window.spicetab.session.threads?.guest.call("serialSend", { text: `${line}\n` }),
        text,
      );
    await expect
      .poll(() => page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 120_000 })
      .toContain("# ");
    await page.evaluate(() => window.spicetab.session.save());
    const { savedAt } = (await state()).snapshot;

    using client = await joinMain(server.spicePort);
    await type("poweroff");
    await expect(page.getByText("The machine is switched off")).toBeVisible({ timeout: 120_000 });
    expect((await state()).ended).toEqual({ end: "poweredOff" });
    await expect.poll(() => client.words().at(-1)).toContain(OFF);
    expect(client.isConnected()).toBe(true);
    using late = await joinMain(server.spicePort);
    await expect.poll(() => late.words().at(-1)).toContain(OFF);
    const health = async () => (await fetch(new URL("healthz", server.url))).json();
    await expect.poll(async () => (await health()).machine).toContain(OFF);
    // The screen says so as well, in the letters of the VGA BIOS.
    await expect.poll(async () => (await tab.surface()).width).toBe(720);
    await expect(page.evaluate(() => window.spicetab.session.save())).rejects.toThrow(OFF);
    expect((await state()).snapshot.savedAt).toBe(savedAt);

    await page.getByRole("button", { name: "Go back to what was saved" }).click();
    await tab.until(() => window.spicetab.session.state.phase === "running");
    await expect.poll(() => client.words().at(-1)).toBe("The machine starts.");
    expect((await health()).machine).toBeUndefined();

    await type("halt -f");
    await tab.until(() => window.spicetab.session.state.phase === "ended", 120_000);
    await page.reload();
    await page.waitForFunction(() => "spicetab" in window);
    // It boots, as a power button does, and offers what was saved.
    await expect(page.getByText("The machine was switched off")).toBeVisible({ timeout: 60_000 });
    expect((await state()).phase).toBe("booting");
    expect((await state()).snapshot.savedAt).toBe(savedAt);
    await page.evaluate(() => window.spicetab.session.restore());
    await tab.until(() => window.spicetab.session.state.phase === "running");
    expect(tab.errors).toEqual([]);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

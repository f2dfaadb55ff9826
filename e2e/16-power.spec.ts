import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { RecordingChannel } from "../src/client/client.testing.ts";
import { link } from "../src/client/index.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, mainChannel } from "../src/protocol/index.ts";
import { desktopProfile, HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { RemoteViewer } from "./support/remote-viewer.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";
import { crop, locate } from "./support/text-screen.ts";

const OFF = "The machine is switched off.";

/** A client's main channel, and what it was told in words. */
async function joinMain(port: number) {
  const transport = await dialTcp(port);
  const { socket } = transport;
  await link(transport, { channelType: ChannelType.Main, channelCaps: [0xf] });
  const main = new RecordingChannel(transport, mainChannel, { answers: true });
  const words = () => main.all(mainChannel.server.notify).map(({ message }) => message);
  return { words, isConnected: () => !socket.destroyed, [Symbol.dispose]: () => void socket.destroy() };
}

test("a guest that switches off is off: everybody is told, nothing of it is kept, and it can go on", async () => {
  const profile = await mkdtemp(join(tmpdir(), "spicetab-power-"));
  try {
    await using server = await Server.start("--guest", "console");
    await using tab = await HostTab.open(server.url, { profile });
    await tab.ready();
    const { page } = tab;
    const state = () => page.evaluate(() => window.spicetab.session.state);
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
    await page.getByRole("button", { name: "Go back to what was saved" }).click();
    await tab.until(() => window.spicetab.session.state.phase === "running");
    expect(tab.errors).toEqual([]);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

test("what is typed or chosen on the desktop to end it does so under the eyes of a viewer, which stays", async () => {
  test.skip(
    process.env.SPICETAB_LONG_JOURNEYS === undefined,
    "set SPICETAB_LONG_JOURNEYS=1: five ends of a desktop, and remote-viewer's window is not the same size each time",
  );
  // A copy: the machine of the other journeys must not be one that was switched off.
  const profile = await mkdtemp(join(tmpdir(), "spicetab-desktop-power-"));
  try {
    await cp(desktopProfile, profile, { recursive: true });
    await using server = await Server.start();
    await using tab = await HostTab.open(server.url, { profile });
    await tab.ready();
    const { page } = tab;
    const state = () => page.evaluate(() => window.spicetab.session.state);
    await tab.restingSurface();
    await using viewer = await RemoteViewer.open(server.spicePort);
    const { x } = viewer;
    const origin = await viewer.origin(() => tab.surface());
    const click = (gx: number, gy: number, button: string) =>
      x.xdotool("mousemove", String(origin.x + gx), String(origin.y + gy), "click", button);
    using client = await joinMain(server.spicePort);

    /** The viewer shows what the machine has, wherever in its window: as much as is no plain black. */
    const viewerShows = async () => {
      const isShown = async () => {
        const surface = await tab.surface();
        const lit = surface.rgb.findIndex((value) => value > 0x40);
        const top = Math.floor(lit / 3 / surface.width);
        const part = crop(surface, 0, top, surface.width, Math.min(64, surface.height - top));
        return lit >= 0 && locate(part, await x.picture()) !== undefined;
      };
      await expect.poll(isShown, { timeout: 60_000 }).toBe(true);
      expect(viewer.isOpen).toBe(true);
    };
    /** Keeps the desktop in order: what the machine keeps by itself may have a menu open. */
    const keep = async () => {
      await tab.restingSurface();
      await page.evaluate(() => window.spicetab.session.save());
      return (await state()).snapshot.savedAt;
    };
    const goBack = async (...buttons: string[]) => {
      for (const name of buttons) await page.getByRole("button", { name, exact: true }).click();
      await tab.until(() => window.spicetab.session.state.phase === "running");
      const size = async () => (await tab.surface()).width;
      await expect.poll(size, { timeout: 60_000 }).toBeGreaterThanOrEqual(720);
      // Whether its window grows with the desktop, or the desktop takes its size, or neither, the viewer decides.
      const shot = await spicyScreenshot(server.spicePort);
      expect(difference(shot.picture!, await tab.restingSurface())).toBeUndefined();
      expect(viewer.isOpen).toBe(true);
    };
    const type = async (line: string) => {
      await click(200, 200, "1");
      // Another journey may have left something on the line.
      await x.xdotool("key", "ctrl+u");
      await x.xdotool("type", "--delay", "120", line);
      await x.xdotool("key", "Return");
    };
    /** Does something that is seen, and waits until it is: a key that comes before its menu is lost. */
    const seen = async (act: () => Promise<unknown>) => {
      const before = await tab.restingSurface(500);
      await act();
      const isSame = async () => Buffer.compare((await tab.surface()).rgb, before.rgb) === 0;
      await expect.poll(isSame, { timeout: 20_000 }).toBe(false);
      await tab.restingSurface(500);
    };
    /** By keys: the last entry but the window manager's own opens those that end the machine; the one `down` further is taken. */
    const choose = async (down: number) => {
      // A change of the screen's size, which the viewer may still ask for, closes a menu.
      await expect(async () => {
        try {
          await seen(() => click(10, 10, "3"));
          for (const key of ["Up", "Up", "Right", ...Array.from({ length: down }, () => "Down")])
            await seen(() => x.xdotool("key", key));
        } catch (error) {
          await x.xdotool("key", "Escape");
          throw error;
        }
      }).toPass({ timeout: 240_000 });
      await x.xdotool("key", "Return");
    };
    const picture = async (name: string) => {
      const file = name.replaceAll(/\W+/g, "-");
      await writeFile(test.info().outputPath(`${file}.png`), await page.screenshot());
      await writeFile(test.info().outputPath(`${file}-viewer.png`), await x.png());
    };

    for (const [name, end, how] of [
      ["shutdown -h now", "poweredOff", () => type("shutdown -h now")],
      ["halt", "halted", () => type("halt")],
      // It runs poweroff.
      ["the menu's Switch off", "poweredOff", () => choose(0)],
    ] as const)
      await test.step(name, async () => {
        const savedAt = await keep();
        await how();
        await tab.until(() => window.spicetab.session.state.phase === "ended", 120_000);
        expect((await state()).ended).toEqual({ end });
        const title = end === "halted" ? "The machine has halted" : "The machine is switched off";
        await expect(page.getByRole("alert").getByText(title)).toBeVisible();
        await expect.poll(() => client.words().at(-1), { timeout: 60_000 }).toContain(title);
        // The screen says it in the letters of the VGA BIOS.
        await expect.poll(async () => (await tab.surface()).width, { timeout: 60_000 }).toBe(720);
        await viewerShows();
        await picture(name);
        await expect(page.evaluate(() => window.spicetab.session.save())).rejects.toThrow();
        expect((await state()).snapshot.savedAt).toBe(savedAt);
        if (name === "the menu's Switch off") {
          // The screen says that this switches it on.
          await page.getByRole("button", { name: "Ctrl+Alt+Del" }).click();
          await tab.until(() => window.spicetab.session.state.phase === "booting");
          await goBack("Restore", "Restore, really");
        } else await goBack("Go back to what was saved");
        expect(client.words().at(-1)).toBe("The machine starts.");
      });

    for (const [name, how] of [
      ["reboot", () => type("reboot")],
      ["the menu's Restart", () => choose(1)],
    ] as const)
      await test.step(name, async () => {
        const savedAt = await keep();
        await how();
        await tab.until(() => window.spicetab.session.state.phase === "booting", 120_000);
        await expect.poll(() => client.words().at(-1), { timeout: 60_000 }).toBe("The machine restarts.");
        await viewerShows();
        expect((await state()).snapshot.savedAt).toBe(savedAt);
        await picture(name);
        await goBack("Restore", "Restore, really");
      });
    expect(client.isConnected()).toBe(true);
    expect(tab.errors).toEqual([]);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

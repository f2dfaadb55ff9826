import { writeFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { FirefoxTab } from "./support/firefox.ts";
import { Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "./support/stock-clients.ts";
import { crop, locate } from "./support/text-screen.ts";

test("Firefox hosts: cold boot, an exact picture for a stock client, typing, and after a reload the state and its viewers", async () => {
  await using server = await Server.start("--guest", "console");
  await using x = await XvfbDisplay.start();
  await using tab = await FirefoxTab.open(server.url);
  const { page } = tab;
  await test.step("boots to the console", () => tab.ready(300_000));

  const type = async (line: string) => {
    await page.click("pierce/[role=application]");
    await page.keyboard.type(line, { delay: 40 });
    await page.keyboard.press("Enter");
  };
  const serialLog = () => page.evaluate(() => window.spicetab.session.serialLog());

  await test.step("typed text arrives", async () => {
    await type("word=fox; echo $word$word > /dev/ttyS0");
    await expect.poll(serialLog, { timeout: 60_000 }).toContain("foxfox");
  });
  await test.step("spicy-screenshot sees each pixel", async () => {
    // The console's cursor blinks: any of a few moments may be the one in the picture.
    await expect(async () => {
      const before = await tab.surface();
      const shot = await spicyScreenshot(server.spicePort);
      expect(shot.code, shot.stderr).toBe(0);
      expect(difference(shot.picture!, before)).toBeUndefined();
    }).toPass({ timeout: 60_000 });
  });
  await using viewer = new Program("remote-viewer", [`spice://127.0.0.1:${server.spicePort}`], {
    env: { ...x.env, NO_AT_BRIDGE: "1" },
  });
  const channels = () =>
    page.evaluate(() => window.spicetab.session.state.clients.map((client) => client.channels.toSorted()));
  const all = [["cursor", "display", "inputs", "main"]];
  await expect.poll(channels, { timeout: 60_000 }).toEqual(all);
  // Here core dies with its page: the relay keeps the viewer for the next one.
  await test.step("a reload goes on from what was kept, and the viewer stays", async () => {
    await page.evaluate(() => window.spicetab.session.save());
    await page.reload();
    await page.waitForFunction(() => "spicetab" in window);
    await tab.ready(60_000);
    const steps = await page.evaluate(() => window.spicetab.session.state.steps.map(({ id }) => id));
    expect(steps).toEqual(["restore"]);
    await type("echo again$word > /dev/ttyS0");
    await expect.poll(serialLog, { timeout: 60_000 }).toContain("againfox");
    await expect.poll(channels, { timeout: 30_000 }).toEqual(all);
    expect(viewer.child.exitCode).toBeNull();
  });
  await test.step("and it types, and sees what the tab shows", async () => {
    const shown = (await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer"))
      .split("\n")
      .at(-1)!;
    await x.xdotool("windowfocus", shown);
    await x.xdotool("type", "--delay", "120", "echo viewer$word > /dev/ttyS0");
    await x.xdotool("key", "Return");
    await expect.poll(serialLog, { timeout: 60_000 }).toContain("viewerfox");
    await expect(async () => {
      const text = crop(await tab.surface(), 0, 0, 200, 100);
      expect(locate(text, await x.picture())).toBeDefined();
    }).toPass({ timeout: 60_000 });
  });
  const picture = await page.screenshot();
  await writeFile(test.info().outputPath("firefox.png"), picture);
  expect(tab.errors).toEqual([]);
});

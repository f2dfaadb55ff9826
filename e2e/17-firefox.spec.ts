import { writeFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { FirefoxTab } from "./support/firefox.ts";
import { Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";

test("Firefox hosts: cold boot, an exact picture for a stock client, typing, and the state after a reload", async () => {
  await using server = await Server.start("--guest", "console");
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
  await test.step("a reload goes on from what was kept", async () => {
    await page.evaluate(() => window.spicetab.session.save());
    await page.reload();
    await page.waitForFunction(() => "spicetab" in window);
    await tab.ready(60_000);
    const steps = await page.evaluate(() => window.spicetab.session.state.steps.map(({ id }) => id));
    expect(steps).toEqual(["restore"]);
    await type("echo again$word > /dev/ttyS0");
    await expect.poll(serialLog, { timeout: 60_000 }).toContain("againfox");
  });
  const picture = await page.screenshot();
  await writeFile(test.info().outputPath("firefox.png"), picture);
  expect(tab.errors).toEqual([]);
});

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { HostTab, Server, root } from "./support/host.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";
import { colourCount, litShare } from "./support/text-screen.ts";

// The one cold boot of the whole run: minutes on two slow cores. Everything after it starts from the state kept here.
test.setTimeout(1_500_000);

test("a first visit boots Debian from the BIOS on, seen by page and client all the way, and keeps its state", async () => {
  await using server = await Server.start();

  await test.step("without a hosting tab a client is refused with an answer, not left hanging", async () => {
    const refused = await spicyScreenshot(server.spicePort, { deadlineMs: 20_000 });
    expect(refused.code).not.toBe(0);
    expect(refused.code).not.toBeNull();
    expect(server.program.stdout).toMatch(/no (tab|page)|hosting/i);
  });

  await using tab = await HostTab.open(server.url, { fresh: true });
  const sizes = new Set<string>();

  await test.step("the text screens of BIOS and kernel reach a stock client while the machine boots", async () => {
    await tab.until(() => window.spicetab.session.state.width > 0, 120_000);
    let text: Awaited<ReturnType<typeof spicyScreenshot>> | undefined;
    for (let tries = 0; tries < 100; tries++) {
      const shot = await spicyScreenshot(server.spicePort);
      expect(shot.stderr + shot.stdout).not.toMatch(/error 23|auth/i);
      if (shot.picture) {
        sizes.add(`${shot.picture.width}x${shot.picture.height}`);
        if (shot.picture.height <= 480 && litShare(shot.picture) > 0.002) {
          text = shot;
          break;
        }
      }
    }
    expect(text?.picture, `no text screen was seen, only ${[...sizes].join(" ")}`).toBeDefined();
    await expect(tab.page.getByRole("progressbar").or(tab.page.getByRole("status")).first()).toBeVisible();
  });

  await test.step("X comes up and the desktop with it", async () => {
    await tab.until(() => window.spicetab.session.state.phase === "running", 1_200_000);
    const log = await tab.page.evaluate(() => window.spicetab.session.serialLog());
    expect(log).toContain("GUEST ready");
    const shot = await spicyScreenshot(server.spicePort);
    expect(shot.picture?.width).toBeGreaterThanOrEqual(800);
    expect(colourCount(shot.picture!)).toBeGreaterThan(50);
  });

  await test.step("its state is kept", async () => {
    await tab.restingSurface();
    await tab.page.evaluate(() => window.spicetab.session.save());
    const snapshot = await tab.page.evaluate(() => window.spicetab.session.state.snapshot);
    expect(snapshot.bytes).toBeGreaterThan(10_000_000);
    expect(snapshot.problem).toBeUndefined();
    await mkdir(join(root, "test-results"), { recursive: true });
    await writeFile(join(root, "test-results/desktop.png"), await tab.page.screenshot());
  });
  expect(tab.errors).toEqual([]);
});

import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";

const SHIFTED: Record<string, string> = { $: "Digit4", ">": "Period", S: "KeyS" };

test("a reload finds the machine as it was left, however soon it comes", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const { page } = tab;
  const reload = async () => {
    await page.reload();
    await page.waitForFunction(() => "spicetab" in window);
    await tab.ready();
    const { steps, snapshot } = await page.evaluate(() => window.spicetab.session.state);
    expect(snapshot.problem).toBeUndefined();
    expect(steps.map(({ id }) => id)).toEqual(["restore"]);
  };
  const type = async (line: string) => {
    // The terminal lies in the upper left of the guest's screen.
    await page.getByRole("application").click({ position: { x: 200, y: 200 } });
    // An empty line, whatever an earlier journey has left there.
    await page.keyboard.press("Control+c", { delay: 40 });
    for (const character of line) {
      // The guest gets keys, not characters: shifted ones need their key and Shift.
      const shifted = SHIFTED[character];
      await page.keyboard.press(shifted ? `Shift+${shifted}` : character === " " ? "Space" : character, {
        delay: 40,
      });
    }
    await page.keyboard.press("Enter");
  };

  await test.step("what was typed a moment ago is there after a reload", async () => {
    await type("word=kept");
    await expect.poll(() => page.evaluate(() => window.spicetab.session.state.snapshot.unsaved)).toBe(true);
    await tab.restingSurface(500);
    await reload();
    await type("echo $word $word > /dev/ttyS0");
    await expect
      .poll(() => page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 60_000 })
      .toContain("kept kept");
  });

  await test.step("reloads in quick succession, whatever the page before is still saving", async () => {
    for (let round = 0; round < 8; round++) {
      if (round % 2 === 0) void page.evaluate(() => void window.spicetab.session.save().catch(() => {}));
      await reload();
    }
  });
  expect(tab.errors).toEqual([]);
});

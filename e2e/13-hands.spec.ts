import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { serial } from "./support/serial.ts";

/** Where the terminal of the desktop is, in the guest's pixels. */
const TERMINAL = { x: 200, y: 200 };

/** Gives the keyboard to the terminal in the guest. */
async function clickTerminal(tab: HostTab): Promise<void> {
  const box = (await tab.page.locator("machine-screen canvas").boundingBox())!;
  const width = await tab.page.evaluate(() => window.spicetab.session.state.width);
  const scale = box.width / width;
  await tab.page.mouse.click(box.x + TERMINAL.x * scale, box.y + TERMINAL.y * scale);
}

/** What the guest's terminal got of what `work` types, read back through the serial port. */
async function typed(tab: HostTab, work: () => Promise<void>): Promise<string> {
  await serial(tab, "rm -f /tmp/typed");
  await tab.page.keyboard.type("cat >/tmp/typed\n");
  await work();
  await tab.page.keyboard.press("Enter");
  await tab.page.keyboard.press("Control+d");
  await expect.poll(() => serial(tab, "wc -l </tmp/typed"), { timeout: 60_000 }).toBe("1");
  return serial(tab, "cat /tmp/typed");
}

test("what a person does on the tab's own screen is what the guest gets", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const { page } = tab;
  const layout = async (name: string) => {
    await page.evaluate((wanted) => window.spicetab.session.setKeyboardLayout(wanted), name);
    await page.waitForFunction((wanted) => window.spicetab.session.state.keyboard.layout === wanted, name);
  };
  await clickTerminal(tab);

  await test.step("characters that automation types without Shift", async () => {
    expect(await typed(tab, () => page.keyboard.type("$((6*7)) ~`{}|?"))).toBe("$((6*7)) ~`{}|?");
  });

  await test.step("text without keys, and what has no key", async () => {
    const text = async () => {
      await page.keyboard.insertText("ж: Echo");
      await expect(page.locator("machine-screen").getByRole("status")).toContainText("“ж” (U+0436)");
    };
    expect(await typed(tab, text)).toBe(": Echo");
  });

  await test.step("another layout: AltGr as Windows sends it, and everything the layout has", async () => {
    await layout("de");
    const altGraph = async () => {
      for (const key of ["ControlLeft", "AltRight", "KeyQ"]) await page.keyboard.down(key);
      for (const key of ["KeyQ", "ControlLeft", "AltRight"]) await page.keyboard.up(key);
      await page.keyboard.insertText("zy-Grüße [€]");
    };
    expect(await typed(tab, altGraph)).toBe("@zy-Grüße [€]");
    expect(await page.locator("machine-screen").evaluate((screen) => screen.hasAttribute("captured"))).toBe(
      true,
    );
    await layout("us");
  });
  expect(tab.errors).toEqual([]);
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { HostTab, Server, root } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { RemoteViewer } from "./support/remote-viewer.ts";
import { serial } from "./support/serial.ts";
import { colourCount, crop } from "./support/text-screen.ts";

// A machine with other devices than the one the other journeys keep: it boots from the BIOS on.
test.setTimeout(1_500_000);

/** A profile of its own: a kept state is of a machine with as many displays. */
const profile = join(root, ".cache/e2e-displays-profile");

test("a machine with two displays: two screens in the page, two windows in remote-viewer, each exact", async () => {
  await using server = await Server.start("--displays", "2");
  await using tab = await HostTab.open(server.url, { fresh: true, profile });
  await tab.until(() => window.spicetab.session.state.phase === "running", 1_200_000);
  await expect(tab.page.locator("machine-screen canvas")).toHaveCount(2);
  await serial(
    tab,
    "DISPLAY=:0 xset r off; (DISPLAY=:0.1 xterm -geometry 60x20+80+100 -title Second >/dev/null 2>&1 &)",
  );
  const terminal = async () => colourCount(crop(await tab.surface(1), 80, 100, 300, 200));
  // X in a guest that is emulated on a busy machine takes its time.
  await expect.poll(terminal, { timeout: 300_000 }).toBeGreaterThan(4);
  await tab.restingSurface(1_500, 0);
  await tab.restingSurface(1_500, 1);
  await writeFile(test.info().outputPath("page.png"), await tab.page.screenshot());

  await using viewer = await RemoteViewer.open(server.spicePort, { screen: "2800x1300" });
  const { x } = viewer;
  const windows = await viewer.windows(2);
  await x.xdotool("windowmove", windows[1], "1400", "0");
  const origins: { x: number; y: number }[] = [];
  for (const display of [0, 1]) origins.push(await viewer.origin(() => tab.surface(display)));
  const at = (display: number, gx: number, gy: number) => [
    String(origins[display].x + gx),
    String(origins[display].y + gy),
  ];

  await test.step("each window shows its display's surface, pixel for pixel", async () => {
    expect(origins[1].x).toBeGreaterThanOrEqual(1400);
    // Off both pictures: a window that is entered may paint a pointer of its own.
    await x.xdotool("mousemove", "1390", "1290");
    for (const display of [0, 1]) {
      const mismatch = async () => {
        const surface = await tab.restingSurface(500, display);
        const { x: left, y: top } = origins[display];
        return difference(crop(await x.picture(), left, top, surface.width, surface.height), surface);
      };
      await expect.poll(mismatch, { timeout: 180_000 }).toBeUndefined();
    }
    await writeFile(test.info().outputPath("remote-viewer.png"), await x.png());
  });

  await test.step("the pointer goes from one to the other and back, and presses where it is", async () => {
    const rightClick = async (display: number) => {
      const before = [await tab.restingSurface(500, 0), await tab.restingSurface(500, 1)];
      await x.xdotool("windowfocus", "--sync", windows[display]);
      await x.xdotool("mousemove", ...at(display, 740, 500), "mousemove", ...at(display, 700, 480));
      await x.xdotool("click", "3");
      // The desktop's menu of programs: on this display, and on no other.
      const change = async () => difference(await tab.surface(display), before[display]);
      await expect.poll(change, { timeout: 120_000 }).toBeDefined();
      expect(difference(await tab.surface(1 - display), before[1 - display])).toBeUndefined();
      await x.xdotool("key", "Escape");
      await expect.poll(change, { timeout: 120_000 }).toBeUndefined();
    };
    for (const display of [0, 1, 0]) await rightClick(display);
  });

  await test.step("keys go where it has clicked", async () => {
    await x.xdotool("windowfocus", "--sync", windows[1]);
    await x.xdotool("mousemove", ...at(1, 240, 200), "mousemove", ...at(1, 200, 200), "click", "1");
    await tab.restingSurface(500, 1);
    await x.xdotool("type", "--delay", "120", "echo TYPED $DISPLAY on > /dev/ttyS0");
    await x.xdotool("key", "Return");
    await expect
      .poll(() => tab.page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 120_000 })
      .toContain("TYPED :0.1 on");
  });
  expect(tab.errors).toEqual([]);
});

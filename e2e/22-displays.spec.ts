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
      await expect.poll(mismatch, { timeout: 60_000 }).toBeUndefined();
    }
    await writeFile(test.info().outputPath("remote-viewer.png"), await x.png());
  });

  await test.step("the pointer goes from one to the other and back, and keys go where it clicked", async () => {
    for (const [display, gx, gy, screen] of [
      [0, 200, 200, ":0.0"],
      [1, 200, 200, ":0.1"],
      [0, 200, 200, ":0.0"],
    ] as const) {
      await x.xdotool("windowfocus", "--sync", windows[display]);
      await x.xdotool("mousemove", ...at(display, gx + 40, gy), "mousemove", ...at(display, gx, gy));
      await tab.restingSurface(500, display);
      await x.xdotool("click", "1");
      await tab.restingSurface(500, display);
      const mark = Math.random().toString(36).slice(2, 8);
      await x.xdotool("type", "--delay", "120", `echo ${mark} $DISPLAY on > /dev/ttyS0`);
      await x.xdotool("key", "Return");
      const log = () => tab.page.evaluate(() => window.spicetab.session.serialLog());
      await expect
        .poll(
          async () => /\w+ :0(\.\d)? on/.exec((await log()).slice((await log()).lastIndexOf(mark)))?.[0],
          { timeout: 60_000 },
        )
        .toBe(`${mark} ${screen} on`);
    }
  });

  await test.step("a window that is resized resizes its own display", async () => {
    const first = await tab.surface(0);
    const second = await tab.surface(1);
    await x.xdotool("windowsize", windows[1], "900", "720");
    await expect.poll(async () => (await tab.surface(1)).width, { timeout: 90_000 }).not.toBe(second.width);
    const { width } = await tab.restingSurface(500, 1);
    expect(width).toBeLessThanOrEqual(900);
    expect(width).toBeGreaterThan(800);
    const { width: unchanged, height } = await tab.surface(0);
    expect({ width: unchanged, height }).toEqual({ width: first.width, height: first.height });
  });
  expect(tab.errors).toEqual([]);
});

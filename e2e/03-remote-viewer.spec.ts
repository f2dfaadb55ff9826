import { writeFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { PointerClient } from "./support/plain-client.ts";
import { shapeMismatch } from "./support/pointer-picture.ts";
import { difference } from "./support/ppm.ts";
import { RemoteViewer } from "./support/remote-viewer.ts";
import { serial } from "./support/serial.ts";
import { crop, locate } from "./support/text-screen.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("remote-viewer shows the desktop, types into its terminal, moves its windows and resizes it", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const before = await tab.restingSurface();
  await using viewer = await RemoteViewer.open(server.spicePort);
  const { x } = viewer;
  await x.xdotool("windowfocus", viewer.window);

  const origin = await viewer.origin(() => tab.surface());
  const at = (gx: number, gy: number) => [String(origin.x + gx), String(origin.y + gy)];

  await test.step("the whole guest picture is on the viewer's screen, pixel for pixel", async () => {
    await x.xdotool("mousemove", ...at(before.width + 20, 20));
    await expect
      .poll(
        async () => {
          const surface = await tab.restingSurface(500);
          return difference(
            crop(await x.picture(), origin.x, origin.y, surface.width, surface.height),
            surface,
          );
        },
        { timeout: 60_000 },
      )
      .toBeUndefined();
  });

  await test.step("text typed through it appears in the guest's terminal", async () => {
    // X repeats a key whose release comes late, and on a busy machine it may.
    await serial(tab, "DISPLAY=:0 xset r off");
    await x.xdotool("mousemove", ...at(200, 200), "click", "1");
    await pause(1_000);
    // An empty line, whatever an earlier journey has left there.
    await x.xdotool("key", "ctrl+c");
    // Return goes as a key of its own: xdotool would type "\\n" as Linefeed, which no keyboard has.
    await x.xdotool("type", "--delay", "120", "echo TYPED $((6*7)) > /dev/ttyS0");
    await x.xdotool("key", "Return");
    await expect
      .poll(() => tab.page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 60_000 })
      .toContain("TYPED 42");
  });

  await test.step("whatever is typed at a host that is busy just then arrives, to the last character", async () => {
    const text = Array.from({ length: 510 }, (_, i) => "abcdefghij klmno-XYZ/:;(7)"[(i * 7) % 26]).join("");
    await serial(tab, "rm -f /tmp/typed");
    await x.xdotool("type", "--delay", "120", "cat >/tmp/typed");
    await x.xdotool("key", "Return");
    // Four fifths of the guest's thread go elsewhere.
    await tab.evaluateInThread(
      "guest",
      "self.busy = setInterval(() => { for (const end = performance.now() + 40; performance.now() < end;); }, 50)",
    );
    await x.xdotool("type", "--delay", "12", text);
    await tab.evaluateInThread("guest", "clearInterval(self.busy)");
    await x.xdotool("key", "Return");
    await x.xdotool("key", "ctrl+d");
    await expect.poll(() => serial(tab, "wc -l </tmp/typed"), { timeout: 240_000 }).toBe("1");
    expect(await serial(tab, "DISPLAY=:0 xset r on; cat /tmp/typed")).toBe(text);
  });

  await test.step("a window dragged through it moves", async () => {
    const still = await tab.restingSurface();
    await x.xdotool("mousemove", ...at(200, 73));
    await pause(500);
    await x.xdotool("mousedown", "1");
    for (let step = 1; step <= 10; step++) {
      await x.xdotool("mousemove", ...at(200 + step * 12, 73 + step * 10));
      await pause(120);
    }
    await x.xdotool("mouseup", "1");
    const moved = await tab.restingSurface();
    // The title and the first lines, found again further down to the right; the window manager may snap by some pixels.
    const found = locate(crop(still, 60, 66, 300, 60), moved);
    expect(found).toBeDefined();
    expect(Math.abs(found!.x - 60 - 120)).toBeLessThanOrEqual(16);
    expect(Math.abs(found!.y - 66 - 100)).toBeLessThanOrEqual(16);
  });

  await test.step("the viewer's pointer has the shape of the guest's, and follows it", async () => {
    const shapes = new Set<string>();
    // The bare desktop, and the terminal's text.
    for (const [gx, gy] of [
      [900, 600],
      [400, 400],
    ]) {
      await x.xdotool("mousemove", ...at(gx, gy));
      const mismatch = async () => {
        using client = await PointerClient.join(server.spicePort);
        const shape = await client.shape();
        shapes.add(Buffer.from(shape.data).toString("base64"));
        const place = { x: origin.x + gx, y: origin.y + gy };
        return shapeMismatch(shape, await x.pictureWithPointer(), await x.picture(), place);
      };
      await expect.poll(mismatch, { timeout: 60_000 }).toBeUndefined();
    }
    expect(shapes.size).toBeGreaterThan(1);
  });

  await test.step("resizing its window resizes the guest's desktop", async () => {
    await x.xdotool("windowsize", viewer.window, "1000", "720");
    await expect
      .poll(
        async () => {
          const { width, height } = await tab.surface();
          return width !== before.width || height !== before.height ? "resized" : `${width}x${height}`;
        },
        { timeout: 90_000 },
      )
      .toBe("resized");
    const surface = await tab.surface();
    expect(surface.width).toBeLessThanOrEqual(1000);
    expect(surface.width).toBeGreaterThan(900);
    await tab.restingSurface();
    await writeFile(test.info().outputPath("remote-viewer.png"), await x.png());
  });
  expect(tab.errors).toEqual([]);
});

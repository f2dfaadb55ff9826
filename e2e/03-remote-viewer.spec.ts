import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { PointerClient } from "./support/plain-client.ts";
import { shapeMismatch } from "./support/pointer-picture.ts";
import { difference, type Picture } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { XvfbDisplay } from "./support/stock-clients.ts";
import { crop, locate } from "./support/text-screen.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A remote-viewer window on its own X server, and where the guest's picture begins in it. */
class RemoteViewer implements AsyncDisposable {
  readonly x: XvfbDisplay;
  readonly window: string;
  readonly #program: Program;

  private constructor(x: XvfbDisplay, program: Program, window: string) {
    this.x = x;
    this.#program = program;
    this.window = window;
  }

  static async open(port: number): Promise<RemoteViewer> {
    const x = await XvfbDisplay.start();
    const program = new Program("remote-viewer", [`spice://127.0.0.1:${port}`], {
      env: { ...x.env, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" },
    });
    for (let tries = 0; ; tries++) {
      const found = await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer").catch(() => "");
      const window = found.split("\n").findLast((line) => line !== "");
      if (window) return new RemoteViewer(x, program, window);
      if (tries > 150) throw new Error(`remote-viewer showed no window: ${program.stderr}`);
      await pause(200);
    }
  }

  /** Where the guest's pixel (0, 0) is on the X screen, once the guest's picture is shown there one to one. */
  async origin(guest: () => Promise<Picture>): Promise<{ x: number; y: number }> {
    for (let tries = 0; tries < 60; tries++) {
      const surface = await guest();
      // A piece of the left edge under the menus and beside the windows is enough to find the rest.
      const found = locate(crop(surface, 0, 0, 300, 200), await this.x.picture());
      if (found) return found;
      await pause(500);
    }
    throw new Error("remote-viewer never showed the guest's picture");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.x[Symbol.asyncDispose]();
  }
}

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
    await x.xdotool("mousemove", ...at(200, 200), "click", "1");
    await pause(1_000);
    // Return goes as a key of its own: xdotool would type "\\n" as Linefeed, which no keyboard has.
    await x.xdotool("type", "--delay", "120", "echo TYPED $((6*7)) > /dev/ttyS0");
    await x.xdotool("key", "Return");
    await expect
      .poll(() => tab.page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 60_000 })
      .toContain("TYPED 42");
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
  });
  expect(tab.errors).toEqual([]);
});

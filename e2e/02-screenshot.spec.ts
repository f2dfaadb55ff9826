import { expect, test } from "@playwright/test";
import { ImageCompression } from "../src/protocol/index.ts";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";
import { fullHeaderScreenshot } from "./support/plain-client.ts";

test("a second visit shows the running desktop; stock clients get it pixel for pixel, however it travels", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const steps = await tab.page.evaluate(() => window.spicetab.session.state.steps.map((step) => step.id));
  expect(steps).not.toContain("kernel");

  for (const [name, compression] of Object.entries(ImageCompression)) {
    if (compression === ImageCompression.Invalid) continue;
    await test.step(`spicy-screenshot, mini headers, compression ${name}`, async () => {
      await tab.page.evaluate((value) => window.spicetab.session.setCompression(value), compression);
      const expected = await tab.restingSurface();
      const shot = await spicyScreenshot(server.spicePort);
      expect(shot.code, shot.stderr).toBe(0);
      expect(difference(shot.picture!, expected)).toBeUndefined();
    });
  }
  for (const compression of [ImageCompression.Off, ImageCompression.Quic, ImageCompression.Lz]) {
    await test.step(`a client with full headers, compression ${compression}`, async () => {
      await tab.page.evaluate((value) => window.spicetab.session.setCompression(value), compression);
      const expected = await tab.restingSurface();
      const picture = await fullHeaderScreenshot(server.spicePort);
      expect(difference(picture, expected)).toBeUndefined();
    });
  }
  expect(tab.errors).toEqual([]);
});

test("a password lets in whoever knows it and nobody else", async () => {
  await using server = await Server.start("--password", "open sesame");
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const expected = await tab.restingSurface();
  const right = await spicyScreenshot(server.spicePort, { password: "open sesame" });
  expect(right.code, right.stderr).toBe(0);
  expect(difference(right.picture!, expected)).toBeUndefined();
  for (const password of [undefined, "open sesam", "Open sesame"]) {
    const wrong = await spicyScreenshot(server.spicePort, { password });
    // SPICE_CHANNEL_ERROR_AUTH: the client understood PERMISSION_DENIED.
    expect(wrong.code).toBe(1);
    expect(wrong.stdout + wrong.stderr).toContain("main channel event: 23");
    expect(wrong.picture).toBeUndefined();
  }
});

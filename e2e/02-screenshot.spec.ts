import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import {
  ALL_COMPRESSIONS,
  expectExactScreenshots,
  expectPasswordRefused,
} from "./support/screenshot-matrix.ts";

test("a second visit shows the running desktop; clients get it pixel for pixel, however it travels", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const steps = await tab.page.evaluate(() => window.spicetab.session.state.steps.map((step) => step.id));
  expect(steps).not.toContain("kernel");
  await expectExactScreenshots(tab, server.spicePort, { compressions: ALL_COMPRESSIONS });
  expect(tab.errors).toEqual([]);
});

test("a password lets in whoever knows it and nobody else", async () => {
  await using server = await Server.start("--password", "open sesame");
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  await expectExactScreenshots(tab, server.spicePort, { password: "open sesame" });
  for (const wrong of [undefined, "open sesam", "Open sesame"]) {
    await expectPasswordRefused(server.spicePort, wrong);
  }
  expect(tab.errors).toEqual([]);
});

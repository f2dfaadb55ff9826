import { chromium, expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { html5Picture, serveHtml5Client } from "./support/html5-client.ts";
import { difference } from "./support/ppm.ts";

test("spice-html5 in a second browser shows the same desktop over the WebSocket", async () => {
  const client = await serveHtml5Client();
  await using server = await Server.start("--allow-origin", new URL(client.url).origin);
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    await page.goto(`${client.url}?uri=${encodeURIComponent(`ws://127.0.0.1:${server.httpPort}/spice`)}`);
    await page.waitForSelector("#spice-screen canvas", { timeout: 60_000 });
    await expect
      .poll(async () => difference(await html5Picture(page), await tab.restingSurface(700)) ?? "equal", {
        timeout: 90_000,
      })
      .toBe("equal");
    await page.screenshot({ path: test.info().outputPath("spice-html5.png") });
    expect(await page.evaluate(() => (window as unknown as { failure?: string }).failure)).toBeUndefined();
  } finally {
    await browser.close();
    client.close();
  }
});

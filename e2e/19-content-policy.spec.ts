import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium, expect as expectNow, test } from "@playwright/test";
import { createServer } from "vite";
import { CspReports } from "./support/csp-reports.ts";
import { expectGraph } from "./support/graph.ts";
import { freePort, root } from "./support/host.ts";
import { PageServer } from "./support/page-server.ts";

const expect = expectNow.configure({ timeout: 120_000 });

/** The page boots a machine and hosts it; what its policy blocked meanwhile. */
async function violations(port: number, secret: string): Promise<CspReports["reports"]> {
  await using front = await CspReports.before(port);
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${front.origin}#secret=${secret}`);
    // By then every worker runs, v86 is made and the guest has drawn.
    await page.waitForFunction(() => window.spicetab?.session.state.width > 0, undefined, {
      timeout: 120_000,
    });
    await expect.poll(() => page.evaluate(() => window.spicetab.session.state.join.relay)).toBe("connected");
    // Reports come when they come: this one, which must come, is the last of them.
    await page.evaluate(() => fetch("http://127.0.0.1:9/not-ours").catch(() => {}));
    await expect.poll(() => front.reports.at(-1)?.blocked).toContain("127.0.0.1:9");
    await expectGraph(page);
    return front.reports.slice(0, -1);
  } finally {
    await browser.close();
  }
}

test("the built page's policy blocks nothing of what it does", async () => {
  await using server = await PageServer.start({ guestFolder: join(root, "build/guest") });
  expect(await violations(server.web.port, server.relay.secret)).toEqual([]);
});

test("nor does that of the development server", async () => {
  const secret = "a-secret-of-22-letters-and-more";
  const before = { ...process.env };
  Object.assign(process.env, { SPICETAB_SPICE_PORT: String(await freePort()), SPICETAB_SECRET: secret });
  const server = await createServer({ root, logLevel: "silent", server: { port: 0, strictPort: false } });
  try {
    await server.listen();
    const { port } = server.httpServer!.address() as AddressInfo;
    expect(await violations(port, secret)).toEqual([]);
  } finally {
    await server.close();
    process.env = before;
  }
});

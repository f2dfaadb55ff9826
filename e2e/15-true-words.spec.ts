import { chromium, expect, test, type Page } from "@playwright/test";
import { expectGraph } from "./support/graph.ts";
import { Server } from "./support/host.ts";

/** A page in a browser that was made to lack something before anything of ours ran. */
async function withPage(use: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await use(page);
    await expectGraph(page);
  } finally {
    await browser.close();
  }
}

const phase = (page: Page) => page.evaluate(() => window.spicetab.session.state.phase);

test("what a browser lacks or denies is told in a sentence, and what can be done without it is done", async () => {
  await using server = await Server.start("--guest", "console");

  await test.step("locks that are denied are not another tab", () =>
    withPage(async (page) => {
      await page.addInitScript(() => {
        LockManager.prototype.request = () => Promise.reject(new DOMException("denied", "SecurityError"));
      });
      await page.goto(server.url);
      await expect(page.getByRole("alert")).toContainText("denies this page its storage");
      expect(await phase(page)).toBe("failed");
    }));

  await test.step("no Web Locks, no WebAssembly", () =>
    withPage(async (page) => {
      await page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, "locks", { value: undefined }),
      );
      await page.goto(server.url);
      await expect(page.getByRole("alert")).toContainText("Web Locks");
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
      await page.reload();
      await expect(page.getByRole("alert")).toContainText("WebAssembly");
    }));

  await test.step("no SharedWorker, OffscreenCanvas, OPFS and IndexedDB: the machine boots, without its picture", () =>
    withPage(async (page) => {
      await page.addInitScript(() => {
        for (const name of ["SharedWorker", "OffscreenCanvas", "indexedDB"])
          Object.defineProperty(globalThis, name, { value: undefined });
        Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });
      });
      await page.goto(server.url);
      await expect(page.getByRole("alert")).toContainText("cannot be shown in this tab");
      await page.evaluate(() => window.spicetab.ready);
      expect((await page.evaluate(() => window.spicetab.readSurface(0))).width).toBeGreaterThan(0);
    }));

  await test.step("a thread that dies whenever it is made: Boot again makes new ones once that is mended", () =>
    withPage(async (page) => {
      await page.route("**/assets/guest-*.js", (route) => route.abort());
      await page.goto(server.url);
      // Until it has been tried a few times, it is tried again by itself.
      const bootAgain = page.getByRole("button", { name: "Boot again" });
      await expect(bootAgain).toBeVisible();
      await expect(page.getByRole("alert")).toContainText("thread ended");
      await page.unroute("**/assets/guest-*.js");
      await bootAgain.click();
      await page.waitForFunction(() => window.spicetab.session.state.phase === "running", undefined, {
        timeout: 240_000,
      });
      expect(await page.evaluate(() => window.spicetab.session.state.problem)).toBeUndefined();
    }));

  await test.step("a page whose server is gone loads itself once it is back", () =>
    withPage(async (page) => {
      await page.route("**/config.json", (route) => route.abort());
      await page.route("**/healthz", (route) => route.abort());
      await page.goto(server.url);
      await expect(page.getByRole("alert")).toContainText("server of this page is not there");
      await page.unrouteAll();
      await expect
        .poll(() => phase(page).catch(() => "loading"), { timeout: 60_000 })
        .toMatch(/boot|restor|running/);
    }));
});

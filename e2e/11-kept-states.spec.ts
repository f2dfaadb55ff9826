import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import type { Page } from "@playwright/test";
import { HostTab, Server, desktopProfile } from "./support/host.ts";
import { StatePage } from "./support/state-page.ts";

/** More of it: SPICETAB_KILL_ROUNDS=200 npm run e2e -- e2e/11 */
const ROUNDS = Number(process.env.SPICETAB_KILL_ROUNDS ?? 6);

for (const kind of ["OPFS", "IndexedDB"] as const) {
  test(`kill -9 in the midst of saving to ${kind} leaves the last state that was saved, or the one being saved`, async () => {
    test.setTimeout(60_000 + ROUNDS * 30_000);
    const profile = await mkdtemp(join(tmpdir(), "spicetab-kill-"));
    await using page = await StatePage.open(kind);
    let last = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const browser = page.browse(profile);
        try {
          const found = await page.next();
          // A browser may have told less than it did: its last words die with it.
          expect([last, last + 1], `round ${round}`).toContain(found.moment);
          for (const refusal of found.refused ?? []) expect(["unfinished", "format"]).toContain(refusal);
          let { step, moment } = await page.next();
          // At least one is whole, so that there is something to lose.
          while (!(step === "saving" && moment > found.moment + 1)) ({ step, moment } = await page.next());
          // Somewhere in it, or behind it.
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
          browser.signal("SIGKILL");
          await browser.done;
          last = moment - 1;
          for (const more of page.rest()) if (more.step === "saved") last = more.moment;
        } finally {
          browser.signal("SIGKILL");
          await browser.done.catch(() => {});
        }
      }
    } finally {
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}

/** Changes 18 times 64 bytes of the newest state's file, as the origin's storage lies on the disk. */
const damageNewest = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const states = await root.getDirectoryHandle("states");
    const found: { handle: FileSystemFileHandle; generation: number; size: number }[] = [];
    for (const place of [0, 1, 2]) {
      const handle = await states.getFileHandle(`desktop.${place}`).catch(() => undefined);
      if (!handle) continue;
      const file = await handle.getFile();
      const generation = Number(/"generation":(\d+)/.exec(await file.slice(0, 4096).text())?.[1]);
      found.push({ handle, generation, size: file.size });
    }
    const [{ handle, size }] = found.toSorted((a, b) => b.generation - a.generation);
    const stream = await handle.createWritable({ keepExistingData: true });
    for (let piece = 1; piece <= 18; piece++) {
      const data = new Uint8Array(64).fill(0xa5);
      await stream.write({ type: "write", position: Math.floor((piece * size) / 20), data });
    }
    await stream.close();
  });

test("a full disk and a damaged save cost nothing that was kept, and are said", async () => {
  const profile = `${desktopProfile}-kept`;
  await rm(profile, { recursive: true, force: true });
  await cp(desktopProfile, profile, { recursive: true });
  try {
    await using server = await Server.start();
    await using tab = await HostTab.open(server.url, { profile });
    await tab.ready();
    const { page } = tab;
    const snapshot = () => page.evaluate(() => window.spicetab.session.state.snapshot);
    const save = () =>
      page.evaluate(() =>
        window.spicetab.session.save().then(
          () => "saved",
          (error: unknown) => String(error),
        ),
      );

    await test.step("no room for a second state: what is kept stays, each failure is told with a remedy", async () => {
      await page.evaluate(() => window.spicetab.session.forget());
      expect(await save()).toBe("saved");
      const before = await snapshot();
      const devtools = await page.context().newCDPSession(page);
      const { origin } = new URL(server.url);
      await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
      for (let tries = 0; tries < 2; tries++) {
        expect(await save()).toMatch(/quota/i);
        const after = await snapshot();
        expect([after.savedAt, after.bytes, after.earlier]).toEqual([
          before.savedAt,
          before.bytes,
          undefined,
        ]);
        expect(after.problem?.title).toBe("The state could not be saved");
        await expect(page.getByRole("alert").filter({ hasText: "free some disk space" })).toBeVisible();
      }
      await devtools.send("Storage.overrideQuotaForOrigin", { origin });
      expect(await save()).toBe("saved");
      const again = await snapshot();
      expect([again.earlier, again.problem]).toEqual([before.savedAt, undefined]);
    });

    await test.step("the newest is damaged: the one before it runs, and the page says which it is", async () => {
      const before = await snapshot();
      // Another page of the origin, without a host.
      await page.goto(new URL("robots.txt", server.url).href);
      await damageNewest(page);
      await page.goto(server.url);
      await page.waitForFunction(() => "spicetab" in window);
      await tab.ready();
      const { steps } = await page.evaluate(() => window.spicetab.session.state);
      expect(steps.map(({ id }) => id)).toEqual(["restore"]);
      const after = await snapshot();
      expect(after.problem?.title).toBe("The last save is damaged");
      expect(after.problem?.detail).toContain("This is the machine of today");
      expect([after.savedAt, after.earlier]).toEqual([before.earlier, undefined]);
      await expect(page.getByRole("alert").filter({ hasText: "The last save is damaged" })).toBeVisible();
    });

    await test.step("the next save takes its place, and the page offers the one before", async () => {
      const { savedAt } = await snapshot();
      expect(await save()).toBe("saved");
      const after = await snapshot();
      expect([after.earlier, after.problem]).toEqual([savedAt, undefined]);
      await page.getByRole("button", { name: "Restore the one before" }).click();
      await page.getByRole("button", { name: "Restore the one before, really" }).click();
      await tab.until(() => window.spicetab.session.state.phase === "restoring");
      await tab.until(() => window.spicetab.session.state.phase === "running");
      expect((await snapshot()).problem).toBeUndefined();
    });
    expect(tab.errors).toEqual([]);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

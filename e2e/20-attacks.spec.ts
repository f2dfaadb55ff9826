import { expect, test } from "@playwright/test";
import { allAttacks } from "./attacks/all.ts";
import { Trials } from "./attacks/trial.ts";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";

/** A taste of each; `npm run attack` is the whole meal. */
const SCALE = 0.02;

const SEED = 7;

/** Answers of the server that the honest client has had beside each attack, at least; what they took is `npm run attack`'s to judge. */
const ANSWERS = 5;

test("whatever hostile clients do, an honest one beside them is served, and sees each pixel", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  using trials = await Trials.start();
  const target = { port: server.spicePort, scale: SCALE };
  for (const { name } of allAttacks(SEED)) {
    // Who gets in beside it depends on how fast a browser is: `npm run attack` judges that, on a machine of its own.
    if (name.includes("renews itself")) continue;
    await test.step(name, async () => {
      const assault = { name, seed: SEED, target, niceness: 0 };
      const { outcome, during } = await trials.try(assault, ANSWERS);
      expect(during.count, outcome).toBeGreaterThan(0);
    });
  }
  await test.step("the picture is exact", async () => {
    // The guest may still be at the last motions of a flood: what they point at is lit up.
    const mismatch = async () => {
      const { picture, stderr } = await spicyScreenshot(server.spicePort);
      const expected = await tab.restingSurface();
      return picture === undefined ? stderr : difference(picture, expected);
    };
    await expect.poll(mismatch).toBeUndefined();
  });
  await test.step("nothing is left of them", async () => {
    await expect
      .poll(() => tab.page.evaluate(() => window.spicetab.session.state.clients.length), { timeout: 30_000 })
      .toBe(0);
  });
  expect(tab.errors).toEqual([]);
});

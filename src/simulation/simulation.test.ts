/** Histories of a whole host that seeds decide; `npm run simulate` runs as many as one likes. */
import { expect, test } from "vitest";
import type { Step } from "./history.testing.ts";
import { makeHistory, report, runHistory } from "./history.testing.ts";

const SEEDS_EACH = 5;
const SEEDS = 200;
/** Milliseconds for each test: a busy machine takes its time, and a history that goes wrong is run many times to make it short. */
const LIMIT_MS = 10 * 60_000;

test.each(Array.from({ length: SEEDS / SEEDS_EACH }, (_, index) => 1 + index * SEEDS_EACH))(
  "whatever happens, who owns what is as the threading model says (seeds from %i)",
  async (from) => {
    for (let seed = from; seed < from + SEEDS_EACH; seed++) {
      const { findings } = await runHistory(seed, makeHistory(seed));
      if (findings.length > 0) expect.fail(await report(seed));
    }
  },
  LIMIT_MS,
);

test("the same seed makes the same history", async () => {
  const [one, other] = [await runHistory(7, makeHistory(7)), await runHistory(7, makeHistory(7))];
  expect(other).toEqual(one);
  expect(one.log.length).toBeGreaterThan(5);
});

/** Histories that went wrong once, in many courses each. */
const ONCE_WRONG: readonly (readonly [string, readonly Step[]])[] = [
  [
    "a red worker whose clients the next one has taken over does not end them at core",
    [
      { id: 1, do: "join", others: ["cursor"], events: 200 },
      { id: 2, do: "takeOver", events: 0 },
    ],
  ],
  [
    "who joins while there is no red worker loses nothing of what it says",
    [
      { id: 1, do: "join", others: ["display", "cursor"], events: 60 },
      { id: 2, do: "reload", gapMs: 2_500, releases: true, events: 0 },
    ],
  ],
];

test.each(ONCE_WRONG)(
  "%s",
  async (_, steps) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { findings } = await runHistory(seed, steps);
      expect([seed, ...findings]).toEqual([seed]);
    }
  },
  LIMIT_MS,
);

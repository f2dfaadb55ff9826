import { expect, test } from "vitest";
import {
  THREAD_RESTARTS,
  THREAD_RESTART_WINDOW_MS,
  WATCHDOG_INTERVAL_MS,
  WATCHDOG_REPLACE_MS,
  WATCHDOG_SILENT_MS,
  WATCHDOG_START_MS,
} from "./limits.ts";
import { ThreadWatchdog, RestartBudget } from "./supervision.ts";

test("threads are made anew a few times in a row, and again once they have lived", () => {
  const budget = new RestartBudget();
  for (let i = 0; i < THREAD_RESTARTS; i++) expect(budget.allow(i)).toBe(true);
  expect(budget.allow(THREAD_RESTARTS)).toBe(false);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS - 1)).toBe(false);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS)).toBe(true);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS)).toBe(false);
});

/** A thread that answers when it is told to, and a clock that goes when it is told to. */
function watched() {
  const questions: (() => void)[] = [];
  const told: (boolean | "hangs")[] = [];
  let nowMs = 0;
  const watchdog = new ThreadWatchdog(
    () => new Promise<void>((resolve) => questions.push(resolve)),
    { silent: (is) => told.push(is), hangs: () => told.push("hangs") },
    undefined,
    () => nowMs,
  );
  return {
    questions,
    told,
    watchdog,
    look: (atMs: number) => {
      nowMs = atMs;
      watchdog.look();
    },
    /** Looks as it does by itself, up to then. */
    lookUntil(atMs: number) {
      for (let next = nowMs; next < atMs;) this.look((next = Math.min(next + WATCHDOG_INTERVAL_MS, atMs)));
    },
    answer: async () => {
      questions.shift()!();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

test("a thread that answers is asked again, one question at a time, and nothing is told of it", async () => {
  using red = watched();
  for (let at = 0; at < 60_000; at += 1_000) {
    red.look(at);
    red.look(at + 1);
    expect(red.questions).toHaveLength(1);
    await red.answer();
  }
  expect(red.told).toEqual([]);
});

/** One that has answered once, and is asked again at 0. */
async function living() {
  const thread = watched();
  thread.look(-WATCHDOG_INTERVAL_MS);
  await thread.answer();
  thread.look(0);
  return thread;
}

test("one that has said nothing yet may be loading: nothing is told of that, until it has taken far too long", async () => {
  using slow = watched();
  slow.look(0);
  slow.lookUntil(WATCHDOG_START_MS - 1);
  expect(slow.told).toEqual([]);
  await slow.answer();
  slow.look(WATCHDOG_START_MS);
  slow.lookUntil(WATCHDOG_START_MS + WATCHDOG_REPLACE_MS);
  expect(slow.told).toEqual([true, "hangs"]);

  using never = watched();
  never.look(0);
  never.lookUntil(WATCHDOG_START_MS);
  expect(never.told).toEqual(["hangs"]);
});

test("one that is busy is silent, and is not when it answers", async () => {
  using red = await living();
  red.lookUntil(WATCHDOG_SILENT_MS - 1);
  expect(red.told).toEqual([]);
  red.lookUntil(WATCHDOG_SILENT_MS);
  red.lookUntil(WATCHDOG_REPLACE_MS - 1);
  expect(red.told).toEqual([true]);
  await red.answer();
  expect(red.told).toEqual([true, false]);
});

test("one that hangs is told of once", async () => {
  using red = await living();
  red.lookUntil(WATCHDOG_REPLACE_MS);
  expect(red.told).toEqual([true, "hangs"]);
});

test("a computer that slept does not take its own silence for the thread's", async () => {
  using red = watched();
  red.look(0);
  red.look(3_600_000);
  await red.answer();
  red.look(7_200_000);
  red.look(10_800_000);
  expect(red.told).not.toContain("hangs");
});

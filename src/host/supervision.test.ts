import { expect, test } from "vitest";
import type { RedInspection } from "../dispatch/index.ts";
import {
  THREAD_RESTARTS,
  THREAD_RESTART_WINDOW_MS,
  WATCHDOG_REPLACE_MS,
  WATCHDOG_SILENT_MS,
} from "./limits.ts";
import { RedWatchdog, RestartBudget } from "./supervision.ts";

test("threads are made anew a few times in a row, and again once they have lived", () => {
  const budget = new RestartBudget();
  for (let i = 0; i < THREAD_RESTARTS; i++) expect(budget.allow(i)).toBe(true);
  expect(budget.allow(THREAD_RESTARTS)).toBe(false);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS - 1)).toBe(false);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS)).toBe(true);
  expect(budget.allow(THREAD_RESTART_WINDOW_MS)).toBe(false);
});

/** A red worker that answers when it is told to, and a clock that goes when it is told to. */
function watched() {
  const questions: (() => void)[] = [];
  const told: (boolean | "hangs")[] = [];
  let nowMs = 0;
  const red = {
    call: () => new Promise<never>((resolve) => questions.push(() => resolve(undefined as unknown as never))),
  } as unknown as { call: (type: "inspect") => Promise<RedInspection> };
  const watchdog = new RedWatchdog(
    red as never,
    { silent: (is) => told.push(is), hangs: () => told.push("hangs") },
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

test("one that is busy is silent, and is not when it answers", async () => {
  using red = watched();
  red.look(0);
  red.look(WATCHDOG_SILENT_MS - 1);
  expect(red.told).toEqual([]);
  red.look(WATCHDOG_SILENT_MS);
  red.look(WATCHDOG_REPLACE_MS - 1);
  expect(red.told).toEqual([true]);
  await red.answer();
  expect(red.told).toEqual([true, false]);
});

test("one that hangs is told of once", () => {
  using red = watched();
  red.look(0);
  red.look(WATCHDOG_REPLACE_MS);
  expect(red.told).toEqual([true, "hangs"]);
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { V86Core } from "./v86-private.ts";
import { replaceYield } from "./yield.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Only the members that yield touches: the rest of v86 plays no part. */
const makeCore = () => {
  const ticks: number[] = [];
  const tasks: (() => void)[] = [];
  let unregistered = false;
  const core = {
    yield_callback: (tick: number) => void ticks.push(tick),
    unregister_yield: () => (unregistered = true),
  } as unknown as V86Core;
  replaceYield(core, (task) => void tasks.push(task));
  return { core, ticks, tasks, isUnregistered: () => unregistered };
};

test("a busy guest goes on with the next task, without a timer", () => {
  const { core, ticks, tasks, isUnregistered } = makeCore();
  expect(isUnregistered()).toBe(true);
  core.yield(0, 1);
  expect(ticks).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  tasks[0]();
  expect(ticks).toEqual([1]);
});

test("an idle guest sleeps whole milliseconds, at least one", () => {
  const { core, ticks, tasks } = makeCore();
  core.yield(0.2, 1);
  core.yield(2.1, 2);
  expect(tasks).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(ticks).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ticks).toEqual([2]);
});

test("an interrupt ends the sleep", () => {
  const { core, ticks, tasks } = makeCore();
  core.yield(100, 1);
  core.yield(0, 2);
  tasks[0]();
  vi.advanceTimersByTime(1000);
  expect(ticks).toEqual([2]);
});

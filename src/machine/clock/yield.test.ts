import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { V86Core } from "../v86/v86-private.ts";
import { replaceYield } from "./yield.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FAULTY_TICK = 666;

/** Only the members that yield touches: the rest of v86 plays no part. */
const makeCore = () => {
  const ticks: number[] = [];
  const tasks: (() => void)[] = [];
  let unregistered = false;
  const cpu = {
    instruction_counter: new Uint32Array(1),
    devices: { pit: { counter_mode: Uint8Array.of(2) } },
  };
  const core = {
    cpu,
    yield_callback: (tick: number) => {
      if (tick === FAULTY_TICK) throw new RangeError("out of bounds");
      ticks.push(tick);
    },
    unregister_yield: () => (unregistered = true),
  } as unknown as V86Core;
  const failures: string[] = [];
  replaceYield(
    core,
    ({ message }) => void failures.push(message),
    undefined,
    (task) => void tasks.push(task),
  );
  return { failures, core, ticks, tasks, isUnregistered: () => unregistered };
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

test("an exception out of a slice is reported, not lost", () => {
  const { core, tasks, failures } = makeCore();
  core.yield(0, FAULTY_TICK);
  tasks[0]();
  core.yield(1, FAULTY_TICK);
  vi.advanceTimersByTime(1);
  expect(failures).toEqual(["out of bounds", "out of bounds"]);
});

import { expect, onTestFinished, test, vi } from "vitest";
import { Pace } from "./pace.ts";

test("so much at once, then one in each rest; what is not taken is saved up, up to that much", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const pace = new Pace(3, 10);
  const takeAll = () => {
    let taken = 0;
    while (pace.take()) taken++;
    return taken;
  };
  expect(takeAll()).toBe(3);
  expect(pace.dueInMs).toBe(10);
  vi.advanceTimersByTime(4);
  expect(pace.dueInMs).toBe(6);
  vi.advanceTimersByTime(6);
  expect(takeAll()).toBe(1);
  vi.advanceTimersByTime(20);
  expect(takeAll()).toBe(2);
  vi.advanceTimersByTime(1_000_000);
  expect(takeAll()).toBe(3);
});

test("a clock that is set back costs nothing", () => {
  const pace = new Pace(2, 10);
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  expect(pace.take()).toBe(true);
  expect(pace.take()).toBe(true);
  expect(pace.take()).toBe(false);
  vi.advanceTimersByTime(10);
  expect(pace.take()).toBe(true);
});

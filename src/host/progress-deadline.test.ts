import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProgressDeadline, StalledError } from "./progress-deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = async (work: Promise<unknown>): Promise<string> => {
  const outcome = work.then(
    () => "done",
    (error: Error) => error.name,
  );
  return Promise.race([outcome, vi.advanceTimersByTimeAsync(0).then(() => "waiting")]);
};

test("work that gets on is waited for however long it takes, work that stands still is not", async () => {
  const deadline = new ProgressDeadline(1_000, "the work");
  let finish = (): void => {};
  const guarded = deadline.guard(new Promise<void>((resolve) => (finish = resolve)));
  for (let round = 0; round < 500; round++) {
    await vi.advanceTimersByTimeAsync(999);
    deadline.progress();
  }
  expect(await settled(guarded)).toBe("waiting");
  finish();
  expect(await settled(guarded)).toBe("done");
  expect(vi.getTimerCount()).toBe(0);

  const stuck = deadline.guard(new Promise(() => {}));
  stuck.catch(() => {});
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(stuck).rejects.toThrow(StalledError);
  await expect(stuck).rejects.toThrow("the work made no progress for 1 s");
  expect(vi.getTimerCount()).toBe(0);
});

test("the work's own end is handed on, good or bad", async () => {
  const deadline = new ProgressDeadline(1_000, "the work");
  expect(await deadline.guard(Promise.resolve(7))).toBe(7);
  await expect(deadline.guard(Promise.reject(new RangeError("no")))).rejects.toThrow(RangeError);
  expect(vi.getTimerCount()).toBe(0);
});

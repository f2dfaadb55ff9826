import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AutosavePolicy } from "./autosave.ts";
import { AUTOSAVE_MIN_INTERVAL_S, AUTOSAVE_SETTLE_S } from "./limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const policyWithCount = () => {
  const count = { saves: 0 };
  const policy = new AutosavePolicy(() => void count.saves++);
  return { policy, count };
};

test("a fresh boot is saved once it has settled after `ready`", () => {
  const { policy, count } = policyWithCount();
  policy.marker("apps");
  vi.advanceTimersByTime(10 * AUTOSAVE_SETTLE_S * 1000);
  expect(count.saves).toBe(0);
  policy.marker("ready");
  vi.advanceTimersByTime(AUTOSAVE_SETTLE_S * 1000 - 1);
  policy.marker("late");
  vi.advanceTimersByTime(AUTOSAVE_SETTLE_S * 1000 - 1);
  expect(count.saves).toBe(0);
  vi.advanceTimersByTime(1);
  expect(count.saves).toBe(1);
});

test("a save by hand, a reboot or disposal cancel what is planned", () => {
  for (const cancel of [
    (policy: AutosavePolicy) => policy.saved(0),
    (policy: AutosavePolicy) => policy.restart(),
    (policy: AutosavePolicy) => policy[Symbol.dispose](),
  ]) {
    const { policy, count } = policyWithCount();
    policy.marker("ready");
    cancel(policy);
    vi.advanceTimersByTime(10 * AUTOSAVE_SETTLE_S * 1000);
    expect(count.saves).toBe(0);
  }
});

test("a save is recent for a while", () => {
  const { policy } = policyWithCount();
  expect(policy.isRecent(0)).toBe(false);
  policy.saved(1000);
  expect(policy.isRecent(1000 + AUTOSAVE_MIN_INTERVAL_S * 1000 - 1)).toBe(true);
  expect(policy.isRecent(1000 + AUTOSAVE_MIN_INTERVAL_S * 1000)).toBe(false);
});

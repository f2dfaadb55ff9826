import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AutosavePolicy } from "./autosave.ts";
import {
  AUTOSAVE_IDLE_SAMPLES,
  AUTOSAVE_MIN_INTERVAL_S,
  AUTOSAVE_PATIENCE_S,
  AUTOSAVE_SAMPLE_MS,
  AUTOSAVE_SETTLE_S,
} from "./limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SETTLE = AUTOSAVE_SETTLE_S * 1000;
const IDLE = AUTOSAVE_IDLE_SAMPLES * AUTOSAVE_SAMPLE_MS;

const policyWithCount = () => {
  const guest = { saves: 0, idle: true };
  const policy = new AutosavePolicy({ save: () => void guest.saves++, isIdle: () => guest.idle });
  return { policy, guest };
};

test("a fresh boot is saved once, when it has settled after `ready` and idled for a while", () => {
  const { policy, guest } = policyWithCount();
  policy.marker("apps");
  vi.advanceTimersByTime(10 * SETTLE);
  expect(guest.saves).toBe(0);
  policy.marker("ready");
  vi.advanceTimersByTime(SETTLE - 1);
  policy.marker("late");
  vi.advanceTimersByTime(SETTLE + IDLE - 1);
  expect(guest.saves).toBe(0);
  vi.advanceTimersByTime(1);
  expect(guest.saves).toBe(1);
  vi.advanceTimersByTime(100 * SETTLE);
  expect(guest.saves).toBe(1);
});

test("a busy guest is waited for, but not for ever", () => {
  const { policy, guest } = policyWithCount();
  guest.idle = false;
  policy.marker("ready");
  vi.advanceTimersByTime(SETTLE + (AUTOSAVE_PATIENCE_S * 1000) / 2);
  expect(guest.saves).toBe(0);
  guest.idle = true;
  vi.advanceTimersByTime(IDLE + AUTOSAVE_SAMPLE_MS);
  expect(guest.saves).toBe(1);

  const other = policyWithCount();
  other.guest.idle = false;
  other.policy.marker("ready");
  vi.advanceTimersByTime(SETTLE + AUTOSAVE_PATIENCE_S * 1000);
  expect(other.guest.saves).toBe(1);
});

test("a save by hand, a reboot or disposal cancel what is planned", () => {
  for (const cancel of [
    (policy: AutosavePolicy) => policy.saved(0),
    (policy: AutosavePolicy) => policy.restart(),
    (policy: AutosavePolicy) => policy[Symbol.dispose](),
  ]) {
    const { policy, guest } = policyWithCount();
    policy.marker("ready");
    vi.advanceTimersByTime(SETTLE + AUTOSAVE_SAMPLE_MS);
    cancel(policy);
    vi.advanceTimersByTime(100 * SETTLE);
    expect(guest.saves).toBe(0);
  }
});

test("a save is recent for a while", () => {
  const { policy } = policyWithCount();
  expect(policy.isRecent(0)).toBe(false);
  policy.saved(1000);
  expect(policy.isRecent(1000 + AUTOSAVE_MIN_INTERVAL_S * 1000 - 1)).toBe(true);
  expect(policy.isRecent(1000 + AUTOSAVE_MIN_INTERVAL_S * 1000)).toBe(false);
});

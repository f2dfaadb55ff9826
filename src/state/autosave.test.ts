import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AutosavePolicy } from "./autosave.ts";
import {
  AUTOSAVE_IDLE_SAMPLES,
  AUTOSAVE_MIN_INTERVAL_S,
  AUTOSAVE_PATIENCE_S,
  AUTOSAVE_SAMPLE_MS,
  AUTOSAVE_SETTLE_S,
  AUTOSAVE_USED_S,
} from "./limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SETTLE = AUTOSAVE_SETTLE_S * 1000;
const USED = AUTOSAVE_USED_S * 1000;
const IDLE = AUTOSAVE_IDLE_SAMPLES * AUTOSAVE_SAMPLE_MS;

const policyWithCount = () => {
  const guest = { saves: 0, idle: true, unsaved: [] as boolean[] };
  const policy = new AutosavePolicy({
    save: () => void guest.saves++,
    isIdle: () => guest.idle,
    onUnsaved: (unsaved) => void guest.unsaved.push(unsaved),
  });
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
    (policy: AutosavePolicy) => policy.saved(),
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

test("what is saved already and was not used since need not be saved again for a while", () => {
  const { policy } = policyWithCount();
  policy.restored();
  expect(policy.isCurrent).toBe(true);
  vi.advanceTimersByTime(AUTOSAVE_MIN_INTERVAL_S * 1000 - 1);
  expect(policy.isCurrent).toBe(true);
  vi.advanceTimersByTime(1);
  expect(policy.isCurrent).toBe(false);
  policy.captured();
  policy.saved();
  expect(policy.isCurrent).toBe(true);
  policy.used();
  expect(policy.isCurrent).toBe(false);
});

test("a machine in use is saved now and then, once it idles", () => {
  const { policy, guest } = policyWithCount();
  policy.used();
  vi.advanceTimersByTime(100 * USED);
  expect(guest.saves, "nothing is saved before the boot is over").toBe(0);
  policy.restored();
  policy.used();
  policy.used();
  vi.advanceTimersByTime(USED + IDLE - 1);
  expect(guest.saves).toBe(0);
  vi.advanceTimersByTime(1);
  expect(guest.saves).toBe(1);
  policy.captured();
  // Between the moment that is being saved and the end of saving it.
  policy.used();
  policy.saved();
  vi.advanceTimersByTime(USED + IDLE);
  expect(guest.saves).toBe(2);
  policy.captured();
  policy.saved();
  vi.advanceTimersByTime(100 * USED);
  expect(guest.saves).toBe(2);
});

test("there is something to lose until it is stored, not only taken", () => {
  const { policy, guest } = policyWithCount();
  policy.restored();
  policy.used();
  policy.used();
  policy.captured();
  expect(guest.unsaved).toEqual([true]);
  policy.failed();
  expect(guest.unsaved).toEqual([true]);
  policy.captured();
  policy.used();
  policy.saved();
  expect(policy.hasUnsaved).toBe(true);
  expect(guest.unsaved).toEqual([true]);
  policy.captured();
  policy.saved();
  expect(guest.unsaved).toEqual([true, false]);
  policy.used();
  policy.restart();
  expect(guest.unsaved).toEqual([true, false, true, false]);
});

test("a save that failed is tried again", () => {
  const { policy, guest } = policyWithCount();
  policy.restored();
  policy.used();
  vi.advanceTimersByTime(USED + IDLE);
  expect(guest.saves).toBe(1);
  policy.captured();
  policy.failed();
  policy.used();
  vi.advanceTimersByTime(USED + IDLE);
  expect(guest.saves).toBe(2);
});

test("what was dropped on purpose is not kept again before the machine is used", () => {
  const { policy, guest } = policyWithCount();
  policy.restored();
  policy.used();
  policy.forgotten();
  vi.advanceTimersByTime(100 * USED);
  expect(guest.saves).toBe(0);
  expect(policy.isCurrent).toBe(true);
  expect(guest.unsaved).toEqual([true, false]);
  policy.used();
  expect(policy.isCurrent).toBe(false);
  vi.advanceTimersByTime(USED + IDLE);
  expect(guest.saves).toBe(1);
});

test("another machine, or one that was reset, is not saved yet", () => {
  const { policy } = policyWithCount();
  policy.restored();
  expect(policy.isCurrent).toBe(true);
  policy.restart();
  expect(policy.isCurrent).toBe(false);
});

import { expect, test } from "vitest";
import { CLOCK_CHECK_MS, CLOCK_STEP_MS, OUTSIDE_GAP_MS } from "../limits.ts";
import { MachineClock } from "./machine-clock.ts";
import { makeBareMachine } from "../machine.testing.ts";
import type { Machine } from "../machine.ts";
import { TSC_PER_MS, readTsc, writeTsc } from "./tsc.ts";

const NOON = Date.UTC(2030, 0, 1, 12);

/** A clock on a real CPU, with both of the host's clocks in the test's hand. */
const makeClock = async () => {
  const machine = await makeBareMachine();
  const host = { now: 50_000, wall: NOON };
  let steps = 0;
  const clock = new MachineClock({
    cpu: machine.emulator.v86.cpu,
    onStep: () => void steps++,
    now: () => host.now,
    wallNow: () => host.wall,
  });
  /** The host's time goes on, by both clocks. */
  const pass = (milliseconds: number) => {
    host.now += milliseconds;
    host.wall += milliseconds;
  };
  return { machine, clock, host, pass, steps: () => steps };
};

/** The guest's TSC in milliseconds. */
const tscMs = (machine: Machine): number => Number(readTsc(machine.emulator.v86.cpu)) / Number(TSC_PER_MS);

const setTscMs = (machine: Machine, milliseconds: number): void =>
  writeTsc(machine.emulator.v86.cpu, BigInt(milliseconds) * TSC_PER_MS);

test("a gap while the guest rested is taken out of the TSC, and its clock is told", async () => {
  const { machine, clock, pass, steps } = await makeClock();
  await using _ = machine;
  const gap = 6 * 3_600_000;
  setTscMs(machine, gap + 1_000_000);
  clock.rests(4);
  pass(4 + gap);
  clock.goesOn();
  expect(steps()).toBe(1);
  // The host's own clock goes on under the test, by less than the gap by far.
  expect(tscMs(machine)).toBeGreaterThanOrEqual(1_000_000);
  expect(tscMs(machine)).toBeLessThan(1_000_000 + gap / 2);
  clock.rests(4);
  pass(4);
  clock.goesOn();
  expect(steps()).toBe(1);
});

test("short waits are the guest's own time, and a TSC never runs below zero", async () => {
  const { machine, clock, pass, steps } = await makeClock();
  await using _ = machine;
  setTscMs(machine, 1_000_000);
  clock.rests(16);
  pass(16 + OUTSIDE_GAP_MS - 1);
  clock.goesOn();
  expect(steps()).toBe(0);
  expect(tscMs(machine)).toBeGreaterThanOrEqual(1_000_000);
  setTscMs(machine, 1);
  clock.rests(16);
  pass(10 * OUTSIDE_GAP_MS);
  clock.goesOn();
  expect(tscMs(machine)).toBeLessThan(OUTSIDE_GAP_MS);
});

test.each([
  ["slept", 8 * 3_600_000],
  ["was set back", -3_600_000],
])("a host that %s is noticed by its wall clock alone, once", async (_name, step) => {
  const { machine, clock, host, pass, steps } = await makeClock();
  await using _ = machine;
  const { rtc } = machine.emulator.v86.cpu.devices;
  rtc.next_interrupt = rtc.update_interrupt_time = NOON + 10;
  setTscMs(machine, 1_000_000);
  clock.rests(4);
  pass(4);
  host.wall += step;
  clock.goesOn();
  clock.rests(4);
  pass(CLOCK_CHECK_MS);
  clock.goesOn();
  expect(steps()).toBe(1);
  expect(tscMs(machine)).toBeGreaterThanOrEqual(1_000_000);
  // After a step back the RTC's next interrupts would be hours away.
  expect(rtc.next_interrupt).toBeLessThanOrEqual(Math.max(host.wall, NOON + 10));
  expect(rtc.update_interrupt_time).toBeLessThanOrEqual(Math.max(host.wall, NOON + 10));
});

test("a clock that is slewed is told when it has gone too far, a restored machine at once", async () => {
  const { machine, clock, host, pass, steps } = await makeClock();
  await using _ = machine;
  for (let second = 0; second < 2 * CLOCK_STEP_MS + 2; second++) {
    clock.rests(0);
    pass(CLOCK_CHECK_MS);
    host.wall += 1;
    clock.goesOn();
  }
  expect(steps()).toBe(2);
  clock.restored();
  clock.goesOn();
  expect(steps()).toBe(3);
});

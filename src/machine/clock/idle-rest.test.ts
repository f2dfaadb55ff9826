import { expect, test } from "vitest";
import { IdleRest } from "./idle-rest.ts";
import { IDLE_AFTER_MS, IDLE_REST_MS, IDLE_SLICE_INSTRUCTIONS } from "../limits.ts";
import type { V86Cpu } from "../v86/v86-private.ts";

const ONE_SHOT = 4;
const PERIODIC = 2;

/** A CPU whose slices run as many instructions as the test says. */
const makeRest = (mode: number) => {
  let now = 1_000;
  const cpu = {
    instruction_counter: Uint32Array.of(0xffff_f000),
    devices: { pit: { counter_mode: Uint8Array.of(mode) } },
  };
  const rest = new IdleRest(cpu as unknown as V86Cpu, () => now);
  const after = (ran: number, wait: number, woken = false): number => {
    cpu.instruction_counter[0] += ran;
    const sleep = rest.sleep(wait, woken);
    now += sleep;
    return sleep;
  };
  const idleLong = () => {
    for (let slept = 0; slept < IDLE_AFTER_MS + 10;) slept += after(5_000, 3.2);
  };
  return { after, idleLong };
};

test("a guest that has just worked is woken for each of its timers", () => {
  const { after } = makeRest(ONE_SHOT);
  expect(after(1_000_000, 3.2)).toBe(4);
  expect(after(5_000, 0.2)).toBe(1);
  expect(after(5_000, 0)).toBe(0);
});

test("one that only ticks is left asleep, also across the counter's overflow", () => {
  const { after, idleLong } = makeRest(ONE_SHOT);
  idleLong();
  expect(after(5_000, 3.2)).toBe(IDLE_REST_MS);
  expect(after(5_000, 100)).toBe(100);
});

test("work ends the rest, and so does a key", () => {
  const { after, idleLong } = makeRest(ONE_SHOT);
  idleLong();
  expect(after(IDLE_SLICE_INSTRUCTIONS + 1, 3.2)).toBe(4);
  idleLong();
  expect(after(10, 0, true)).toBe(0);
  expect(after(5_000, 3.2)).toBe(4);
});

test("a guest that counts the timer's periods misses none", () => {
  const { after, idleLong } = makeRest(PERIODIC);
  idleLong();
  expect(after(5_000, 3.2)).toBe(4);
});

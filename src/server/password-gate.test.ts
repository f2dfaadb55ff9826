import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  MAX_LINKS,
  PASSWORD_ADDRESSES,
  PASSWORD_CHECKS,
  PASSWORD_CHECKS_PER_ADDRESS,
  PASSWORD_DELAY_FIRST_MS,
  PASSWORD_DELAY_MAX_ALL_MS,
  PASSWORD_DELAY_MAX_MS,
  PASSWORD_FAILURES_FREE,
  PASSWORD_FORGET_MS,
  PASSWORD_TURN_MAX_MS,
  PASSWORD_WAIT_MS,
} from "./limits.ts";
import { PasswordGate } from "./password-gate.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const forever = new AbortController().signal;

/** Moves the clock until a ticket from `address` may be looked at. */
async function admitted(gate: PasswordGate, address: string, step: number): Promise<void> {
  const done: boolean[] = [];
  void gate.admit(address, forever).then((result) => done.push(result));
  await vi.advanceTimersByTimeAsync(0);
  while (done.length === 0) await vi.advanceTimersByTimeAsync(step);
}

/** A wrong password from `address`, answered in its time; the delay. */
async function guess(gate: PasswordGate, address: string): Promise<number> {
  await admitted(gate, address, 50);
  let answered = false;
  const { delayMs } = gate.failed(address, () => (answered = true));
  if (delayMs > 0) await vi.advanceTimersByTimeAsync(delayMs - 1);
  expect(answered).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(answered).toBe(true);
  return delayMs;
}

test("the first mistakes cost nothing, then each costs twice the last, up to a cap; a right one clears it", async () => {
  const gate = new PasswordGate();
  const delays: number[] = [];
  for (let i = 0; i < 12; i++) delays.push(await guess(gate, "a"));
  const expected = delays.map((_, index) =>
    index < PASSWORD_FAILURES_FREE
      ? 0
      : Math.min(PASSWORD_DELAY_FIRST_MS * 2 ** (index - PASSWORD_FAILURES_FREE), PASSWORD_DELAY_MAX_MS),
  );
  expect(delays).toEqual(expected);
  expect(delays.at(-1)).toBe(PASSWORD_DELAY_MAX_MS);
  await gate.admit("a", forever);
  gate.succeeded("a");
  expect(await guess(gate, "a")).toBe(0);
});

test("failures are forgotten after a quiet time, not before", async () => {
  const gate = new PasswordGate();
  for (let i = 0; i < 10; i++) await guess(gate, "a");
  await vi.advanceTimersByTimeAsync(PASSWORD_FORGET_MS - 2 * PASSWORD_DELAY_MAX_MS);
  expect(await guess(gate, "a")).toBe(PASSWORD_DELAY_MAX_MS);
  await vi.advanceTimersByTimeAsync(PASSWORD_FORGET_MS + 1);
  expect(await guess(gate, "a")).toBe(0);
});

test("trying many at once gains nothing: guesses in a minute are as many as the places and the delay allow", async () => {
  const gate = new PasswordGate();
  let guesses = 0;
  const guessing = async (address: string) => {
    await gate.admit(address, forever);
    guesses++;
    gate.failed(address, () => void guessing(address));
  };
  for (let i = 0; i < 200; i++) void guessing("a");
  await vi.advanceTimersByTimeAsync(60_000);
  const before = guesses;
  await vi.advanceTimersByTimeAsync(60_000);
  const most = (60_000 / PASSWORD_DELAY_MAX_MS + 1) * PASSWORD_CHECKS_PER_ADDRESS;
  expect(guesses - before).toBeLessThanOrEqual(most);
  expect(gate.busy).toBe(PASSWORD_CHECKS_PER_ADDRESS);
  gate[Symbol.dispose]();
});

/** Milliseconds until somebody at `address` may show a ticket. */
async function waitOf(gate: PasswordGate, address: string): Promise<number> {
  const start = performance.now();
  await admitted(gate, address, 10);
  return performance.now() - start;
}

test("a right password from another address gets in within the cap, whoever guesses, from however many addresses", async () => {
  const gate = new PasswordGate();
  const guessing = async (address: string) => {
    await gate.admit(address, forever);
    gate.failed(address, () => void guessing(address));
  };
  for (let i = 0; i < 300; i++) void guessing(`bad-${i % 60}`);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(gate.busy).toBe(PASSWORD_CHECKS);
  for (let i = 0; i < 10; i++) {
    expect(await waitOf(gate, "good")).toBeLessThanOrEqual(
      Math.max(PASSWORD_DELAY_MAX_ALL_MS, PASSWORD_DELAY_MAX_MS),
    );
    gate.succeeded("good");
    await vi.advanceTimersByTimeAsync(1234);
  }
  gate[Symbol.dispose]();
});

test("where all share an address, a right password gets its turn within the bound, behind as many as links allow", async () => {
  const gate = new PasswordGate();
  const guessing = async () => {
    await gate.admit("shared", forever);
    gate.failed("shared", () => void guessing());
  };
  // Those who are answered late take no link's place any more: all the others wait.
  for (let i = 0; i < MAX_LINKS - 1 + PASSWORD_CHECKS_PER_ADDRESS; i++) void guessing();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(gate.waiting).toBe(MAX_LINKS - 1);
  let longest = 0;
  for (let i = 0; i < 40; i++) {
    longest = Math.max(longest, await waitOf(gate, "shared"));
    // It gives the place back without clearing the address, which would help the guesser as well.
    gate.abandoned("shared");
    await vi.advanceTimersByTimeAsync(777);
  }
  expect(longest).toBeLessThanOrEqual(PASSWORD_TURN_MAX_MS);
  expect(longest).toBeGreaterThan(PASSWORD_TURN_MAX_MS / 2);
  expect(PASSWORD_TURN_MAX_MS).toBeLessThan(PASSWORD_WAIT_MS);
  gate[Symbol.dispose]();
});

test("guesses from one address, however many, do not keep another one waiting at all", async () => {
  const gate = new PasswordGate();
  for (let i = 0; i < 100; i++) {
    const guessing = async () => {
      await gate.admit("bad", forever);
      gate.failed("bad", () => void guessing());
    };
    void guessing();
  }
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await waitOf(gate, "good")).toBe(0);
  gate[Symbol.dispose]();
});

test("who gives up the wait leaves nothing behind, and who went away keeps his place until his answer's time", async () => {
  const gate = new PasswordGate();
  for (let i = 0; i < 8; i++) await guess(gate, "a");
  const places = Array.from({ length: PASSWORD_CHECKS_PER_ADDRESS }, () => gate.admit("a", forever));
  await Promise.all(places);
  const controller = new AbortController();
  const waiting = gate.admit("a", controller.signal);
  expect(gate.waiting).toBe(1);
  controller.abort();
  expect(await waiting).toBe(false);
  expect(gate.waiting).toBe(0);
  expect(await gate.admit("a", controller.signal)).toBe(false);
  for (const _ of places) gate.failed("a", () => {});
  expect(await waitOf(gate, "a")).toBe(PASSWORD_DELAY_MAX_MS);
  gate.abandoned("a");
  expect(gate.busy).toBe(0);
});

test("addresses are forgotten beyond a number, those quiet for longest first", async () => {
  const gate = new PasswordGate();
  for (let i = 0; i < 6; i++) await guess(gate, "old");
  for (let i = 0; i < 6; i++) await guess(gate, "newer");
  for (let i = 0; i < PASSWORD_ADDRESSES - 1; i++) {
    await gate.admit(`once-${i}`, forever);
    gate.abandoned(`once-${i}`);
  }
  await gate.admit("newer", forever);
  expect(gate.failed("newer", () => {}).failures).toBe(7);
  gate[Symbol.dispose]();
});

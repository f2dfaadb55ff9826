import { expect, test } from "vitest";
import { ByteRates } from "./byte-rates.ts";
import { RATE_MIN_MS, RATE_WINDOW_MS } from "./limits.ts";

function rates() {
  const clock = { ms: 0 };
  return { clock, rates: new ByteRates(() => clock.ms) };
}

test("a rate is the bytes since the look before, in the time since then, of each by itself", () => {
  const { clock, rates: seen } = rates();
  expect(seen.look("a", 5_000)).toBeUndefined();
  expect(seen.look("b", 0)).toBeUndefined();
  clock.ms = 2_000;
  expect(seen.look("a", 9_000)).toBe(2_000);
  expect(seen.look("b", 0)).toBe(0);
});

test("who looks twice in a moment sees the same; who looks after a long time, nothing yet", () => {
  const { clock, rates: seen } = rates();
  seen.look("a", 0);
  clock.ms = 1_000;
  expect(seen.look("a", 700)).toBe(700);
  clock.ms += RATE_MIN_MS - 1;
  expect(seen.look("a", 900_000)).toBe(700);
  clock.ms += RATE_WINDOW_MS + 1;
  expect(seen.look("a", 900_000)).toBeUndefined();
});

test("a channel that begins to count anew, on another red worker, has no rate at first", () => {
  const { clock, rates: seen } = rates();
  seen.look("a", 50_000);
  clock.ms = 100;
  expect(seen.look("a", 10)).toBeUndefined();
  clock.ms = 1_100;
  expect(seen.look("a", 1_010)).toBe(1_000);
});

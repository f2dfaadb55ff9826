import { expect, test } from "vitest";
import { INPUT_LOOK_MAX_MS } from "../limits.ts";
import { Patience } from "./patience.ts";

test("only time that the guest had counts: not a pause, not a host that was busy between two looks", () => {
  let running = true;
  const patience = new Patience(1000, () => running);
  let now = 0;
  const look = (after: number) => patience.isOver((now += after));
  expect(look(0)).toBe(false);
  // An hour in which this thread did not run.
  expect(look(3_600_000)).toBe(false);
  running = false;
  for (let i = 0; i < 1000; i++) expect(look(10)).toBe(false);
  running = true;
  const left = 1000 - INPUT_LOOK_MAX_MS;
  for (let passed = 10; passed < left; passed += 10) expect(look(10)).toBe(false);
  expect(look(10)).toBe(true);
  patience.reset();
  expect(look(10)).toBe(false);
});

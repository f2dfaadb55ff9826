import { expect, test } from "vitest";
import { PowerMark } from "./power-mark.ts";
import { endedProblem } from "./problems.ts";

test("what is said of an end names it, what is lost, and only ways on that there are", () => {
  for (const end of ["poweredOff", "halted", "panicked"] as const) {
    const kept = endedProblem({ end }, true);
    expect(kept.detail).toMatch(/memory is gone/);
    expect(kept.remedy).toMatch(/what was saved/);
    // Somebody has switched it off: that is no fault.
    expect(kept.isNews).toBe(end !== "panicked");
    expect(endedProblem({ end }, false).remedy).not.toMatch(/saved/);
  }
  expect(endedProblem({ end: "panicked", detail: "no init found" }, true).detail).toMatch(/^no init found\./);
});

test("a machine that was switched off is off until something is kept, each level for itself", () => {
  const items = new Map<string, string>();
  const store = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  new PowerMark(store).set("console", true);
  const later = new PowerMark(store);
  expect([later.isOff("console"), later.isOff("desktop")]).toEqual([true, false]);
  later.set("console", false);
  expect(later.isOff("console")).toBe(false);
});

test("storage that is denied or full is no harm", () => {
  const deny = () => {
    throw new DOMException("denied", "SecurityError");
  };
  const mark = new PowerMark({ getItem: deny, setItem: deny, removeItem: deny });
  mark.set("console", true);
  expect(mark.isOff("console")).toBe(false);
  expect(new PowerMark(undefined).isOff("console")).toBe(false);
});

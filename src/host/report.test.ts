import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { passedOverProblem, saveProblem } from "./problems.ts";
import { Reporter } from "./report.ts";
import { INITIAL_STATE } from "./state.ts";
import type { HostState } from "./state.ts";

const told: string[] = [];
beforeEach(() => {
  told.length = 0;
  vi.stubGlobal("spicetabReport", ({ kind, text }: { kind: string; text: string }) => {
    told.push(`${kind}: ${text}`);
  });
});
afterEach(() => void vi.unstubAllGlobals());

const withSnapshot = (snapshot: HostState["snapshot"]): HostState => ({ ...INITIAL_STATE, snapshot });

test("how far a save is, once for each percent, and each failure each time", () => {
  const reporter = new Reporter();
  for (let round = 0; round < 2; round++) {
    for (const progress of [0, 0.001, 0.43, 0.439])
      reporter.observe(withSnapshot({ busy: "saving", progress }));
    reporter.observe(withSnapshot({ busy: "none", problem: saveProblem("no room left") }));
  }
  const once = [
    "saving: saving the machine … 0 %",
    "saving: saving the machine … 43 %",
    "note: The state could not be saved: no room left",
  ];
  expect(told).toEqual([...once, ...once]);
});

test("a save that failed for lack of room says what can be done, and that nothing is lost", () => {
  const words = saveProblem("no room left for the state").remedy;
  expect(words).toContain("What was saved before is still there");
  expect(words).toContain("free some disk space");
});

test.each([
  ["damaged", "The last save is damaged"],
  ["truncated", "The last save is damaged"],
  ["unfinished", "The last save was cut off"],
  ["guest-build", "The kept state does not fit"],
] as const)("a state that is %s: which machine this is instead, and which not", (refusal, title) => {
  const at = new Date(2020, 4, 17, 14, 3).getTime();
  const problem = passedOverProblem({ refusal, message: "saved state refused: so and so" }, at);
  expect(problem.title).toBe(title);
  expect(problem.detail).toContain("so and so");
  expect(problem.detail).toMatch(/This is the machine of .*2020.*, saved before that/);
  const fresh = passedOverProblem({ refusal, message: "so and so" }, undefined);
  expect(fresh.remedy).toContain("boots from the beginning");
});

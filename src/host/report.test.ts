import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { passedOverProblem, saveProblem } from "./problems.ts";
import { Reporter } from "./report.ts";
import { INITIAL_STATE } from "./state.ts";
import type { HostState, Problem } from "./state.ts";

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
    reporter.observe(
      withSnapshot({ busy: "none", problem: saveProblem({ code: "UNEXPECTED", message: "no room left" }) }),
    );
  }
  const once = [
    "saving: saving the machine … 0 %",
    "saving: saving the machine … 43 %",
    "note: The state could not be saved: no room left",
  ];
  expect(told).toEqual([...once, ...once]);
});

test("a save that failed for lack of room says what can be done, and that nothing is lost", () => {
  const words = saveProblem({ code: "STORAGE_FULL", message: "no room left for the state" }).remedy;
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

/** A reporter that sees one change after another. */
function listen(): (change: Partial<HostState>) => void {
  const reporter = new Reporter();
  let state = INITIAL_STATE;
  return (change) => reporter.observe((state = { ...state, ...change }));
}

const full = (): Problem => ({ title: "The state could not be saved", detail: "no room" });

test("a problem is told each time it happens, and once while it lasts", () => {
  const observe = listen();
  const busy = "none" as const;
  observe({ snapshot: { busy, problem: full() } });
  observe({ width: 800 });
  observe({ snapshot: { busy, problem: full() } });
  expect(told).toEqual(Array.from({ length: 2 }, () => "note: The state could not be saved: no room"));
});

test("who hosts is told when it changes, however often core repeats it", () => {
  const observe = listen();
  const hosting = () => ({ title: "Another browser hosts", detail: "it was there first" });
  observe({ hosting: hosting() });
  observe({ hosting: hosting() });
  observe({ hosting: undefined });
  observe({ hosting: hosting() });
  expect(told).toHaveLength(2);
});

test("what ends the machine is an error", () => {
  const observe = listen();
  observe({ phase: "failed", problem: { title: "The machine stopped", detail: "why" } });
  expect(told).toEqual(["error: The machine stopped: why"]);
});

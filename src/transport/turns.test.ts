import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { Turns } from "./turns.ts";

/** Turns whose tasks run when the test says so. */
function manual() {
  const tasks: (() => void)[] = [];
  const turns = new Turns((task) => tasks.push(task));
  return { turns, tasks, run: () => tasks.shift()?.() };
}

test("everybody has a turn before anybody has a second one, and each is a task of its own", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (work) => {
      const { turns, tasks, run } = manual();
      const order: number[] = [];
      const left = [...work];
      work.forEach((_, index) => {
        const taker = {
          takeTurn() {
            order.push(index);
            if (--left[index] > 0) turns.ask(taker);
          },
        };
        turns.ask(taker);
        turns.ask(taker);
      });
      for (let done = 0; tasks.length > 0; done++) {
        expect(tasks).toHaveLength(1);
        run();
        expect(order).toHaveLength(done + 1);
      }
      const rounds = Array.from({ length: Math.max(...work) }, (_, round) =>
        work.flatMap((amount, index) => (amount > round ? [index] : [])),
      );
      expect(order).toEqual(rounds.flat());
    }),
  );
});

test("who needs turn after turn rests in between, whoever else waits; who needs one now and then never does", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const tasks: (() => void)[] = [];
  const turns = new Turns((task) => tasks.push(task), { turns: 4, restMs: 10 });
  const runAll = () => {
    while (tasks.length > 0) tasks.shift()!();
  };
  let flood = 0;
  const flooder = {
    takeTurn() {
      flood++;
      turns.ask(flooder);
    },
  };
  let others = 0;
  const other = { takeTurn: () => void others++ };
  turns.ask(flooder);
  runAll();
  expect(flood).toBe(4);
  for (let i = 1; i <= 100; i++) {
    vi.advanceTimersByTime(10);
    if (i % 10 === 0) turns.ask(other);
    runAll();
    expect(flood).toBe(4 + i);
  }
  expect(others).toBe(10);
  turns.forget(flooder);
  vi.advanceTimersByTime(1000);
  runAll();
  expect(flood).toBe(104);
  expect(turns.waiting).toBe(0);
});

test("one who fails takes nobody's turn away; one who is gone has none", () => {
  const { turns, run } = manual();
  const order: string[] = [];
  const gone = { takeTurn: () => void order.push("gone") };
  turns.ask({
    takeTurn: () => {
      throw new Error("a mistake");
    },
  });
  turns.ask(gone);
  turns.ask({ takeTurn: () => void order.push("other") });
  turns.forget(gone);
  expect(run).toThrow("a mistake");
  run();
  expect(order).toEqual(["other"]);
  expect(turns.waiting).toBe(0);
});

import { expect, test } from "vitest";
import { trend } from "./trend.ts";

test("a line is found as it is, whatever lies evenly around it", () => {
  const { from, to, growth } = trend([
    [0, 90],
    [1, 121],
    [2, 119],
    [3, 150],
  ]);
  expect([from, to]).toEqual([expect.closeTo(93.3), expect.closeTo(146.7)]);
  expect(growth).toBeCloseTo(53.4 / 93.3);
});

test("what stays has no growth", () => {
  expect(
    trend([
      [0, 5],
      [9, 5],
    ]),
  ).toEqual({ from: 5, to: 5, growth: 0 });
  expect(() => trend([[0, 1]])).toThrow(RangeError);
});

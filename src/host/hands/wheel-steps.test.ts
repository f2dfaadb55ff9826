import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WheelCounter } from "./wheel-steps.ts";
import type { WheelMovement } from "./wheel-steps.ts";

function total(events: readonly Partial<WheelMovement>[]) {
  const counter = new WheelCounter();
  return events
    .map((event) => counter.steps({ deltaX: 0, deltaY: 0, deltaMode: 0, isTrusted: true, ...event }))
    .reduce((sum, { x, y }) => ({ x: sum.x + x, y: sum.y + y }), { x: 0, y: 0 });
}

/** What one notch towards the person is, by browser and system. */
const NOTCHES: readonly (readonly [string, Partial<WheelMovement>])[] = [
  ["Chromium on Linux", { deltaY: 120, wheelDeltaY: -120 }],
  ["Chromium on Linux, of before", { deltaY: 53, wheelDeltaY: -120 }],
  ["Chromium on Windows", { deltaY: 100, wheelDeltaY: -120 }],
  ["Chromium on Windows, page zoomed to 125 %", { deltaY: 80, wheelDeltaY: -120 }],
  ["Chromium on Windows, seven lines for a notch", { deltaY: 233.33, wheelDeltaY: -120 }],
  ["Firefox, lines", { deltaY: 3, deltaMode: 1 }],
  ["Firefox, lines, with counts", { deltaY: 3, deltaMode: 1, wheelDeltaY: -120 }],
  ["Firefox, one line for a notch", { deltaY: 1, deltaMode: 1 }],
  ["Firefox, a page for a notch", { deltaY: 1, deltaMode: 2 }],
  ["Chromium on macOS, a slow mouse", { deltaY: 4.000244140625, wheelDeltaY: -12 }],
  ["Chromium on macOS, a faster one", { deltaY: 12.000732421875, wheelDeltaY: -36 }],
  ["made by a program, 120 pixels", { deltaY: 120, isTrusted: false }],
  ["made by a program, 100 pixels", { deltaY: 100, isTrusted: false }],
  ["made by a program, with what Chromium adds", { deltaY: 100, wheelDeltaY: -100, isTrusted: false }],
  ["automation, 100 pixels", { deltaY: 100, wheelDeltaY: -100 }],
];

describe("a notch is a step", () => {
  test.each(NOTCHES)("%s", (_, notch) => {
    for (const count of [1, 3, 10]) {
      expect(total(Array.from({ length: count }, () => notch))).toEqual({ x: 0, y: count });
      const back = { ...notch, deltaY: -notch.deltaY!, wheelDeltaY: notch.wheelDeltaY && -notch.wheelDeltaY };
      expect(total(Array.from({ length: count }, () => back))).toEqual({ x: 0, y: -count });
      const aside = {
        ...notch,
        deltaX: notch.deltaY,
        wheelDeltaX: notch.wheelDeltaY,
        deltaY: 0,
        wheelDeltaY: 0,
      };
      expect(total(Array.from({ length: count }, () => aside))).toEqual({ x: count, y: 0 });
    }
  });

  test("several in one event", () => {
    expect(total([{ deltaY: 360, wheelDeltaY: -360 }]).y).toBe(3);
    expect(total([{ deltaY: 300, wheelDeltaY: -360 }]).y).toBe(3);
    expect(total([{ deltaY: 9, deltaMode: 1 }]).y).toBe(3);
  });

  test("a wheel that counts eighths", () => {
    const eighth = { deltaY: 12.5, wheelDeltaY: -15 };
    expect(total(Array.from({ length: 7 }, () => eighth)).y).toBe(0);
    expect(total(Array.from({ length: 24 }, () => eighth)).y).toBe(3);
  });
});

test("a trackpad's distance adds up, however it is cut, and turning back begins anew", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (pieces) => {
      const distance = pieces.reduce((sum, piece) => sum + piece, 0);
      const steps = total(pieces.map((deltaY) => ({ deltaY, isTrusted: false }))).y;
      expect(Math.abs(steps - distance / 60)).toBeLessThan(1);
    }),
  );
  expect(
    total([
      { deltaY: 55, isTrusted: true, wheelDeltaY: -110 },
      { deltaY: -20, wheelDeltaY: 60 },
    ]).y,
  ).toBe(0);
  expect(total([{ deltaY: Number.NaN }, { deltaY: Number.POSITIVE_INFINITY }])).toEqual({ x: 0, y: 0 });
});

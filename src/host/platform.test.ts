import { expect, test } from "vitest";
import { examinePlatform } from "./platform.ts";
import type { PlatformScope } from "./platform.ts";

class Canvas {
  transferControlToOffscreen(): void {}
}

/** That a feature is there is all that is looked at. */
const THERE = {};

const whole: PlatformScope = {
  isSecureContext: true,
  location: { origin: "http://127.0.0.1:8080", hostname: "127.0.0.1" },
  navigator: { locks: {} },
  Worker: THERE,
  WebAssembly,
  MessageChannel: THERE,
  BroadcastChannel: THERE,
  OffscreenCanvas: THERE,
  HTMLCanvasElement: Canvas,
};

test("a current browser has everything", () => {
  expect(examinePlatform(whole)).toEqual({ obstacle: undefined, isScreenMissing: false });
});

test("each missing feature has its own words and a way on", () => {
  const without = (change: Partial<PlatformScope>) => examinePlatform({ ...whole, ...change }).obstacle;
  const obstacles = [
    without({ isSecureContext: false, location: { origin: "http://10.0.0.7:8080", hostname: "10.0.0.7" } }),
    without({ WebAssembly: undefined }),
    without({ navigator: {} }),
    without({ Worker: undefined }),
    without({ BroadcastChannel: undefined, MessageChannel: undefined }),
  ];
  for (const obstacle of obstacles) expect(obstacle?.remedy).toMatch(/\w+/);
  expect(obstacles[0]?.detail).toContain("http://10.0.0.7:8080");
  expect(obstacles[2]?.detail).toContain("Web Locks");
  expect(obstacles[4]?.detail).toContain("MessageChannel, BroadcastChannel");
  expect(new Set(obstacles.map((one) => `${one?.title} ${one?.detail}`)).size).toBe(obstacles.length);
});

test("a WebAssembly that is forbidden is as good as none", () => {
  const forbidden = {
    validate: () => {
      throw new EvalError("Refused to compile");
    },
  };
  expect(examinePlatform({ ...whole, WebAssembly: forbidden }).obstacle?.title).toContain("WebAssembly");
});

test("no OffscreenCanvas costs the picture, not the machine", () => {
  const report = examinePlatform({ ...whole, OffscreenCanvas: undefined });
  expect(report).toEqual({ obstacle: undefined, isScreenMissing: true });
  expect(examinePlatform({ ...whole, HTMLCanvasElement: { prototype: {} } }).isScreenMissing).toBe(true);
});

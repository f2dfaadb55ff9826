import { expect, test } from "vitest";
import { HostStore } from "./host-store.ts";
import type { HostState } from "./state.ts";

test("however much changes in a task, listeners hear of it once, with the last of it", async () => {
  using store = new HostStore();
  const heard: HostState[] = [];
  const subscription = store.subscribe((state) => heard.push(state));
  store.update({ phase: "booting" });
  store.setSnapshot({ busy: "saving" });
  store.setSnapshot({ bytes: 7 });
  expect(heard).toEqual([]);
  expect(store.state).toMatchObject({ phase: "booting", snapshot: { busy: "saving", bytes: 7 } });
  await Promise.resolve();
  expect(heard).toEqual([store.state]);
  subscription[Symbol.dispose]();
  store.update({ phase: "running" });
  await Promise.resolve();
  expect(heard).toHaveLength(1);
});

test("what a listener changes is told again, to all", async () => {
  using store = new HostStore();
  const phases: string[] = [];
  store.subscribe(({ phase }) => {
    if (phase === "booting") store.update({ phase: "running" });
  });
  store.subscribe(({ phase }) => phases.push(phase));
  store.update({ phase: "booting" });
  await new Promise((resolve) => setTimeout(resolve));
  expect(phases.at(-1)).toBe("running");
});

test("each change makes another value: one that somebody holds stays as it was", () => {
  using store = new HostStore();
  const before = store.state;
  store.setKeyboard({ layout: "de" });
  expect(before.keyboard.layout).toBe("us");
  expect(store.state.keyboard).toEqual({ layout: "de", wanted: "us", leds: 0 });
});

test("the first display is the state's own; further ones have their places, whichever is told of first", () => {
  using store = new HostStore();
  store.update({ displays: { present: 3, wanted: 3 } });
  store.setDisplay(0, { width: 640, height: 480 });
  store.setDisplay(2, { screen: 1, width: 800, height: 600 });
  expect(store.state).toMatchObject({ width: 640, height: 480 });
  expect(store.state.otherDisplays).toEqual([
    { screen: 0, width: 0, height: 0 },
    { screen: 1, width: 800, height: 600 },
  ]);
  store.setDisplay(1, { width: 320 });
  expect(store.state.otherDisplays.map(({ width }) => width)).toEqual([320, 800]);
});

import { expect, test } from "vitest";
import type { ScreenEvent } from "../dispatch/messages.ts";
import { eventually } from "../waiting.testing.ts";
import { HostStore } from "./host-store.ts";
import { Screens } from "./screens.ts";

interface Given {
  readonly canvas: unknown;
  readonly events: MessagePort;
}

/** Red workers that note what they are given, by display. */
function reds(...displays: readonly number[]) {
  const given = new Map<number, Given>();
  return {
    given,
    redOf: (display: number) =>
      displays.includes(display)
        ? { send: (_type: string, message: unknown) => void given.set(display, message as Given) }
        : undefined,
  };
}

const canvas = (name: string) => ({ transferControlToOffscreen: () => name as unknown as OffscreenCanvas });

test("a canvas waits for the red worker of its display, and is given once", () => {
  const screens = new Screens(new HostStore());
  screens.add(canvas("first"), () => {}, 0);
  screens.add(canvas("second"), () => {}, 1);
  const before = reds(0);
  screens.give(before.redOf);
  expect([...before.given].map(([display, { canvas }]) => [display, canvas])).toEqual([[0, "first"]]);
  const after = reds(0, 1);
  screens.give(after.redOf);
  expect([...after.given].map(([display, { canvas }]) => [display, canvas])).toEqual([[1, "second"]]);
});

test("what the red worker tells goes to the state of its display, and to the canvas's own", async () => {
  const store = new HostStore();
  store.update({ displays: { present: 2, wanted: 2 } });
  const screens = new Screens(store);
  const heard: ScreenEvent[] = [];
  screens.add(canvas("second"), (event) => heard.push(event), 1);
  const { given, redOf } = reds(1);
  screens.give(redOf);
  const { events } = given.get(1)!;
  events.postMessage({ type: "cursor-moved", x: 1, y: 2 });
  events.postMessage({ type: "size", width: 800, height: 600 });
  await eventually(() => heard.length === 2);
  expect(store.state.otherDisplays).toEqual([{ screen: 0, width: 800, height: 600 }]);
  expect([store.state.width, heard[0].type]).toEqual([0, "cursor-moved"]);
  events.close();
});

test("another red worker needs another canvas; so do all, when the threads are made anew", () => {
  const store = new HostStore();
  store.update({ displays: { present: 2, wanted: 2 }, width: 640, height: 480 });
  const screens = new Screens(store);
  screens.renew(1);
  screens.renew(1);
  expect(store.state.otherDisplays).toEqual([{ screen: 2, width: 0, height: 0 }]);
  expect(store.state).toMatchObject({ screen: 0, width: 640 });
  screens.renew(0);
  expect(store.state).toMatchObject({ screen: 1, width: 0, height: 0 });
  screens.add(canvas("late"), () => {}, 0);
  screens.clear();
  expect(store.state).toMatchObject({ screen: 2, otherDisplays: [] });
  const { given, redOf } = reds(0);
  screens.give(redOf);
  expect(given.size).toBe(0);
});

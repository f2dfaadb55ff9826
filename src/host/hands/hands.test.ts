import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyboardLayout } from "../../keyboard/index.ts";
import { PointerInput } from "./pointer-input.ts";
import type { PointerMovement } from "./pointer-input.ts";
import { impossibleWords } from "./screen-hands.ts";
import { SleepWatch } from "./sleep-watch.ts";

/** Timers that run when told. */
function fakeTimers() {
  let nowMs = 0;
  let next = 1;
  const waiting = new Map<number, { at: number; callback: () => void }>();
  return {
    setTimer: (callback: () => void, ms: number) => {
      waiting.set(next, { at: nowMs + ms, callback });
      return next++;
    },
    clearTimer: (timer: unknown) => void waiting.delete(timer as number),
    nowMs: () => nowMs,
    waiting,
    /** Time goes on; `late`: the timers are only asked at the end of it, as after a sleep. */
    pass: (ms: number, late = false) => {
      const end = nowMs + ms;
      if (late) nowMs = end;
      for (;;) {
        const due = [...waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (due === undefined) break;
        waiting.delete(due[0]);
        nowMs = Math.max(nowMs, due[1].at);
        due[1].callback();
      }
      nowMs = end;
    },
  };
}

function setUp(mode: "absolute" | "relative" = "absolute") {
  const timers = fakeTimers();
  const calls: (readonly number[])[] = [];
  const shift: boolean[] = [];
  const pointer = new PointerInput({
    ...timers,
    hand: () => ({
      keys: () => {},
      moveTo: (x, y, dz, buttons) => void calls.push([x, y, dz, buttons]),
      moveBy: (...call) => void calls.push(call),
    }),
    mode: () => mode,
    toGuest: (place) => place,
    holdShift: (down) => void shift.push(down),
    acts: () => {},
  });
  return { pointer, calls, shift, timers, last: () => calls.at(-1) };
}

const at = (clientX: number, clientY: number, change: Partial<PointerMovement> = {}): PointerMovement => ({
  pointerId: 1,
  pointerType: "mouse",
  buttons: 0,
  clientX,
  clientY,
  movementX: 0,
  movementY: 0,
  timeStamp: 0,
  ...change,
});
const finger = (pointerId: number, x: number, y: number, timeStamp = 0) =>
  at(x, y, { pointerId, pointerType: "touch", timeStamp });

describe("mouse and pen", () => {
  test("a second button while the first is down, and each by itself up again", () => {
    const { pointer, calls } = setUp();
    pointer.down(at(1, 1, { buttons: 1 }));
    pointer.move(at(1, 1, { buttons: 3 }));
    pointer.move(at(1, 1, { buttons: 2 }));
    pointer.up(at(1, 1, { buttons: 0 }));
    expect(calls.map((call) => call[3])).toEqual([1, 5, 4, 0]);
  });

  test("a press that began elsewhere is not the guest's; one that ended unheard ends with the next movement", () => {
    const { pointer, last } = setUp();
    pointer.move(at(5, 5, { buttons: 1 }));
    expect(last()).toEqual([5, 5, 0, 0]);
    pointer.down(at(5, 5, { buttons: 1 }));
    pointer.move(at(9, 9, { buttons: 0 }));
    expect(last()).toEqual([9, 9, 0, 0]);
  });

  test.each([
    ["the tip", 1, 1],
    ["the barrel's button", 2, 4],
    ["the eraser", 32, 1],
  ])("a pen: %s", (_, buttons, mask) => {
    const { pointer, last } = setUp();
    pointer.down(at(1, 2, { pointerType: "pen", buttons }));
    expect(last()).toEqual([1, 2, 0, mask]);
    pointer.cancel(at(1, 2, { pointerType: "pen" }));
    expect(last()).toEqual([1, 2, 0, 0]);
  });

  test("relative motion keeps the parts of pixels", () => {
    const { pointer, calls } = setUp("relative");
    for (let i = 0; i < 4; i++) pointer.move(at(0, 0, { movementX: 0.5, movementY: -0.25 }));
    const sum = (index: number) => calls.reduce((total, call) => total + call[index], 0);
    expect([sum(0), sum(1)]).toEqual([2, -1]);
  });
});

describe("fingers", () => {
  test("a tap is a click where it was", () => {
    const { pointer, calls } = setUp();
    pointer.down(finger(1, 10, 20));
    pointer.up(finger(1, 10, 20, 80));
    expect(calls).toEqual([
      [10, 20, 0, 0],
      [10, 20, 0, 1],
      [10, 20, 0, 0],
    ]);
  });

  test.each([
    [2, 4],
    [3, 2],
  ])("%i fingers' tap is button mask %i", (count, mask) => {
    const { pointer, calls } = setUp();
    for (let i = 1; i <= count; i++) pointer.down(finger(i, 10 * i, 20, i));
    for (let i = 1; i <= count; i++) pointer.up(finger(i, 10 * i, 20, 100 + i));
    expect(calls.map((call) => call[3]).filter((buttons) => buttons !== 0)).toEqual([mask]);
  });

  test("a moving finger drags from where it began, also after a rest; a resting one is a right click", () => {
    for (const rest of [0, 600]) {
      const { pointer, calls, timers } = setUp();
      pointer.down(finger(1, 10, 10));
      timers.pass(rest);
      pointer.move(finger(1, 50, 10));
      pointer.up(finger(1, 50, 10, rest + 100));
      expect(calls.slice(1)).toEqual([
        [10, 10, 0, 1],
        [50, 10, 0, 1],
        [50, 10, 0, 0],
      ]);
    }
    const { pointer, calls, timers } = setUp();
    pointer.down(finger(1, 10, 10));
    timers.pass(600);
    pointer.up(finger(1, 12, 10, 700));
    expect(calls.map((call) => call[3])).toEqual([0, 4, 0]);
  });

  test("two fingers turn the wheel, what is under them goes with them, and nothing is pressed", () => {
    const { pointer, calls, last } = setUp();
    pointer.down(finger(1, 100, 100));
    pointer.down(finger(2, 140, 100));
    for (let y = 100; y >= 40; y -= 5) {
      pointer.move(finger(1, 100, y));
      pointer.move(finger(2, 140, y));
    }
    pointer.up(finger(1, 100, 40, 300));
    pointer.up(finger(2, 140, 40, 310));
    expect(calls.filter((call) => call[2] === 1)).toHaveLength(2);
    expect(calls.every((call) => call[3] === 0)).toBe(true);
    expect(last()).toEqual([100, 100, 1, 0]);
  });

  test("a second finger ends a drag", () => {
    const { pointer, last } = setUp();
    pointer.down(finger(1, 10, 10));
    pointer.move(finger(1, 60, 10));
    expect(last()?.[3]).toBe(1);
    pointer.down(finger(2, 90, 10));
    expect(last()?.[3]).toBe(0);
  });
});

describe("the wheel", () => {
  test("sideways is Shift and wheel, and Shift goes when it rests", () => {
    const { pointer, calls, shift, timers } = setUp();
    pointer.wheel({ deltaX: 240, deltaY: 0, deltaMode: 0, isTrusted: false });
    expect(calls).toEqual([]);
    expect(shift).toEqual([true]);
    timers.pass(1_000);
    expect(calls.map((call) => call[2])).toEqual([1, 1]);
    expect(shift).toEqual([true, false]);
  });

  test("turns where the pointer is, with the buttons that are down", () => {
    const { pointer, last } = setUp();
    pointer.down(at(7, 8, { buttons: 4 }));
    pointer.wheel({ deltaX: 0, deltaY: -120, deltaMode: 0, isTrusted: false });
    expect(last()).toEqual([7, 8, -1, 2]);
  });
});

test("nothing is down in the guest after any sequence of events with any end", () => {
  const event = fc.record({
    act: fc.constantFrom("down", "move", "up", "cancel", "wheel", "time"),
    pointerId: fc.integer({ min: 1, max: 4 }),
    pointerType: fc.constantFrom("mouse", "pen", "touch"),
    buttons: fc.constantFrom(0, 1, 2, 3, 4, 32),
    clientX: fc.integer({ min: 0, max: 200 }),
    clientY: fc.integer({ min: 0, max: 200 }),
    timeStamp: fc.integer({ min: 0, max: 2_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 40 }),
      fc.constantFrom("absolute", "relative"),
      (events, mode) => {
        const { pointer, last, shift, timers } = setUp(mode);
        for (const { act, clientX, clientY, ...change } of events) {
          const movement = at(clientX, clientY, change);
          if (act === "wheel") {
            pointer.wheel({ deltaX: clientX, deltaY: clientY, deltaMode: 0, isTrusted: true });
          } else if (act === "time") timers.pass(change.timeStamp);
          else pointer[act](movement);
        }
        pointer.releaseAll();
        expect(last()?.[3] ?? 0).toBe(0);
        expect(pointer.buttons).toBe(0);
        expect(shift.at(-1) ?? false).toBe(false);
        const before = last();
        timers.pass(10_000);
        expect(last()).toBe(before);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a system that slept while a key was down has it no more; one that is awake keeps it", () => {
  const timers = fakeTimers();
  let isPressed = true;
  let slept = 0;
  using watch = new SleepWatch({
    ...timers,
    isPressed: () => isPressed,
    slept: () => {
      slept++;
      isPressed = false;
    },
  });
  watch.pressed();
  timers.pass(60_000);
  expect(slept).toBe(0);
  timers.pass(60_000, true);
  expect(slept).toBe(1);
  expect(timers.waiting.size).toBe(0);
});

test("what cannot be typed is named, and not all of a whole book", () => {
  const layout = new KeyboardLayout("fr");
  expect(impossibleWords(["ж", "😀"], layout)).toBe(
    "Not typed: “ж” (U+0436), “😀” (U+1F600). The machine's keyboard, French, has no key for it; another layout may.",
  );
  const many = Array.from({ length: 100 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  expect(impossibleWords(many, layout)).toContain(" and 92 more.");
});

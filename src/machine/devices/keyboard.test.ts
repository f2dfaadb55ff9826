import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { splitKeys } from "./keyboard.ts";
import {
  INPUT_DEAF_MS,
  KEYBOARD_KEY_INTERVAL_MS,
  KEYBOARD_QUEUE_BYTES,
  KEYBOARD_ROOM_BYTES,
} from "../limits.ts";
import { inb, makeBareMachine, outb, silentEvents } from "../machine.testing.ts";
import type { Machine } from "../machine.ts";
import { eventually } from "../../waiting.testing.ts";

afterEach(() => {
  vi.useRealTimers();
});

const DATA = 0x60;
const ENABLE_KEYBOARD = 0xf4;
const SET_LEDS = 0xed;
const ACKNOWLEDGE = 0xfa;

test("prefixes stay with their key", () => {
  expect(splitKeys([0x1e, 0x9e, 0xe0, 0x48, 0xe1, 0x1d, 0x45, 0xe0])).toEqual({
    keys: [[0x1e], [0x9e], [0xe0, 0x48], [0xe1, 0x1d, 0x45]],
    rest: [0xe0],
  });
});

test("splitting loses and reorders nothing, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 })), (bytes) => {
      const { keys, rest } = splitKeys(bytes);
      expect([...keys.flat(), ...rest]).toEqual(bytes);
      expect(rest.length).toBeLessThan(3);
    }),
  );
});

/** The guest: reads each byte that the controller offers, until `count` came. */
const readBytes = async (machine: Machine, count: number): Promise<number[]> => {
  const bytes: number[] = [];
  await eventually(() => {
    if (machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length > 0) bytes.push(inb(machine, DATA));
    return bytes.length === count;
  }, `${count} bytes of the keyboard controller`);
  return bytes;
};

test("scancodes reach the guest in order, one key at a time", async () => {
  await using machine = await makeBareMachine();
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(inb(machine, DATA)).toBe(ACKNOWLEDGE);
  machine.keyboard.push([0x1e, 0x9e, 0xe0]);
  machine.keyboard.push([0x48, 0xe0, 0xc8]);
  expect(machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length).toBe(1);
  expect(await readBytes(machine, 6)).toEqual([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8]);
});

test("a key that is let go of does not stay down in the guest while the host stands still", async () => {
  await using machine = await makeBareMachine();
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(inb(machine, DATA)).toBe(ACKNOWLEDGE);
  // No turn of the event loop between: the guest runs on, and no timer of the host's comes.
  machine.keyboard.push([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8]);
  const held = () => machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length;
  expect([inb(machine, DATA), held()]).toEqual([0x1e, 1]);
  expect([inb(machine, DATA), held()]).toEqual([0x9e, 0]);
  // The next key keeps its distance.
  expect(await readBytes(machine, 2)).toEqual([0xe0, 0x48]);
  expect([inb(machine, DATA), inb(machine, DATA)]).toEqual([0xe0, 0xc8]);
});

test("what goes out before its time costs it: no more keys in a second than one at a time would be", async () => {
  await using machine = await makeBareMachine();
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(inb(machine, DATA)).toBe(ACKNOWLEDGE);
  vi.useFakeTimers();
  machine.keyboard.push([0x1e, 0x9e, 0x30, 0xb0, 0x2e, 0xae]);
  const held = () => machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length;
  const readAll = () => {
    const bytes: number[] = [];
    while (held() > 0) bytes.push(inb(machine, DATA));
    return bytes;
  };
  const seen: number[][] = [];
  for (let tick = 0; tick < 5; tick++) {
    seen.push(readAll());
    vi.advanceTimersByTime(KEYBOARD_KEY_INTERVAL_MS);
  }
  expect(seen).toEqual([[0x1e, 0x9e], [], [0x30, 0xb0], [], [0x2e, 0xae]]);
});

test("a lock key's release waits: the guest answers its press with a command that empties the controller", async () => {
  await using machine = await makeBareMachine();
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(inb(machine, DATA)).toBe(ACKNOWLEDGE);
  machine.keyboard.push([0x3a, 0xba]);
  expect(inb(machine, DATA)).toBe(0x3a);
  expect(machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length).toBe(0);
  expect(await readBytes(machine, 1)).toEqual([0xba]);
});

/** A machine whose guest reads when the test says so, on a clock that the test moves. */
const stalledMachine = async () => {
  const machine = await makeBareMachine();
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(inb(machine, DATA)).toBe(ACKNOWLEDGE);
  machine.emulator.is_running = () => true;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const buffer = machine.emulator.v86.cpu.devices.ps2.kbd_buffer;
  /** The guest reads all that comes, for as long as something does. */
  const readAll = (): number[] => {
    const bytes: number[] = [];
    for (let idle = 0; idle < 3; idle++) {
      for (; buffer.length > 0; idle = 0) bytes.push(inb(machine, DATA));
      vi.advanceTimersByTime(KEYBOARD_KEY_INTERVAL_MS);
    }
    return bytes;
  };
  return { machine, buffer, readAll };
};

/** Presses and releases of so many keys, no two neighbours alike. */
const typed = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => 0x10 + (index % 0x28)).flatMap((key) => [key, key | 0x80]);

test.each([513, 5000])(
  "a guest that does not read for a while gets all %i keys, in order, however late",
  async (count) => {
    const { machine, buffer, readAll } = await stalledMachine();
    const keys = typed(count);
    const pieces = Array.from({ length: keys.length / 2 }, (_, index) =>
      keys.slice(2 * index, 2 * index + 2),
    );
    let taken = 0;
    const typing = (async () => {
      for (const piece of pieces) {
        expect(await machine.keyboard.push(piece)).toBe(0);
        taken++;
      }
    })();
    // Nearly as long as a guest may sleep; whoever types is held back meanwhile.
    for (let passed = 0; passed < INPUT_DEAF_MS - 1000; passed += 50) await vi.advanceTimersByTimeAsync(50);
    expect(buffer.length).toBe(1);
    expect(taken).toBeLessThanOrEqual(2);
    expect(machine.keyboard.queued).toBeLessThanOrEqual(KEYBOARD_ROOM_BYTES + 2);
    const seen: number[] = [];
    while (taken < pieces.length) {
      seen.push(...readAll());
      await Promise.resolve();
    }
    await typing;
    seen.push(...readAll());
    expect(seen).toEqual(keys);
  },
);

test("a running guest that reads nothing for too long loses presses, which is said; no key stays down", async () => {
  const { machine, readAll } = await stalledMachine();
  const { keyboard } = machine;
  expect(await keyboard.push([0x2a])).toBe(0);
  let answer: number | undefined;
  void keyboard.push([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0xaa, 0x1f]).then((dropped) => (answer = dropped));
  await vi.advanceTimersByTimeAsync(INPUT_DEAF_MS / 2);
  machine.emulator.is_running = () => false;
  await vi.advanceTimersByTimeAsync(10 * INPUT_DEAF_MS);
  expect(answer).toBeUndefined();
  machine.emulator.is_running = () => true;
  await vi.advanceTimersByTimeAsync(INPUT_DEAF_MS / 2 + 100);
  // Three presses went, and the releases of two of them; the shift that the guest has seen is still to be let go.
  expect(answer).toBe(3);
  expect(await keyboard.push([0x20, 0xa0])).toBe(1);
  expect(readAll()).toEqual([0x2a, 0xaa]);
  expect(await keyboard.push([0x21, 0xa1])).toBe(0);
  expect(readAll()).toEqual([0x21, 0xa1]);
});

test("who does not wait for room loses presses beyond the queue, and hears it; a release that the guest needs is kept", async () => {
  const { machine, readAll } = await stalledMachine();
  const { keyboard } = machine;
  expect(await keyboard.push([0x01])).toBe(0);
  let dropped = 0;
  const told = keyboard.push(typed(2 * KEYBOARD_QUEUE_BYTES)).then((count) => (dropped += count));
  const room = KEYBOARD_QUEUE_BYTES;
  expect(keyboard.queued).toBe(room);
  const needed = keyboard.push([0x81]).then((count) => (dropped += count));
  const seen: number[] = [];
  while (keyboard.queued > 0) seen.push(...readAll());
  await Promise.all([told, needed]);
  seen.push(...readAll());
  expect(seen).toEqual([0x01, ...typed(room / 2), 0x81]);
  expect(dropped).toBe(2 * KEYBOARD_QUEUE_BYTES - room / 2);
});

test("a machine that is reset or goes away leaves nobody waiting", async () => {
  const { machine } = await stalledMachine();
  void machine.keyboard.push([1]);
  const waiting = machine.keyboard.push(typed(100));
  machine.keyboard.clear();
  expect(await waiting).toBe(0);
  expect(machine.keyboard.queued).toBe(0);
  void machine.keyboard.push([1]);
  const last = machine.keyboard.push(typed(100));
  machine.keyboard[Symbol.dispose]();
  await last;
});

test("the guest's LEDs are told once per change", async () => {
  const leds: number[] = [];
  await using machine = await makeBareMachine({
    events: silentEvents({ leds: (value) => void leds.push(value) }),
  });
  for (const value of [4, 4, 7, 0]) {
    outb(machine, DATA, SET_LEDS);
    outb(machine, DATA, value);
  }
  outb(machine, DATA, ENABLE_KEYBOARD);
  expect(leds).toEqual([4, 7, 0]);
  expect(machine.leds).toBe(0);
});

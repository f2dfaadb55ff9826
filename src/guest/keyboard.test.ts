import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splitKeys } from "./keyboard.ts";
import { KEYBOARD_QUEUE_BYTES } from "./limits.ts";
import { inb, makeBareMachine, outb, silentEvents } from "./machine.testing.ts";
import type { Machine } from "./machine.ts";

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
  while (bytes.length < count) {
    if (machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length > 0) bytes.push(inb(machine, DATA));
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }
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

test("a full queue drops presses and keeps releases", async () => {
  await using machine = await makeBareMachine();
  machine.keyboard.push([0x1e]);
  machine.keyboard.push(Array.from({ length: 2 * KEYBOARD_QUEUE_BYTES }, () => 0x1e));
  expect(machine.keyboard.queued).toBe(KEYBOARD_QUEUE_BYTES);
  machine.keyboard.push([0x9e, 0x1f]);
  expect(machine.keyboard.queued).toBe(KEYBOARD_QUEUE_BYTES + 1);
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

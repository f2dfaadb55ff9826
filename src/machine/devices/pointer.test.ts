import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PS2_MOTION_LIMIT, PS2_MOTION_STEP } from "../limits.ts";
import { inb, inl, makeBareMachine, outb, silentEvents } from "../machine.testing.ts";
import type { Machine } from "../machine.ts";
import { motionSteps } from "./pointer.ts";

test("steps add up to the motion and fit a packet", () => {
  const distance = fc.integer({ min: -3000, max: 3000 });
  fc.assert(
    fc.property(distance, distance, (dx, dy) => {
      const steps = motionSteps(dx, dy);
      expect(steps.reduce(([x, y], step) => [x + step[0], y + step[1]], [0, 0])).toEqual([dx, dy]);
      for (const step of steps.flat()) expect(Math.abs(step)).toBeLessThanOrEqual(PS2_MOTION_STEP);
    }),
  );
});

test("absurd motions are cut off", () => {
  const steps = motionSteps(1e9, Number.NaN);
  expect(steps.reduce((sum, [x]) => sum + x, 0)).toBe(PS2_MOTION_LIMIT);
});

/** The guest's driver enables streaming and reads what the mouse sends. */
const enableMouse = (machine: Machine): void => {
  outb(machine, 0x64, 0xd4);
  outb(machine, 0x60, 0xf4);
  expect(inb(machine, 0x60)).toBe(0xfa);
};

const readMouse = (machine: Machine): number[] => {
  const bytes: number[] = [];
  while (machine.emulator.v86.cpu.devices.ps2.mouse_buffer.length > 0) bytes.push(inb(machine, 0x60));
  return bytes;
};

const VMWARE_MAGIC = 0x564d5868;
const Command = { data: 39, status: 40, control: 41 } as const;

/** A call of the VMware backdoor: registers in, EAX out; EBX, ECX, EDX stay in the CPU. */
const backdoor = (machine: Machine, command: number, ebx: number): number[] => {
  const { reg32 } = machine.emulator.v86.cpu as unknown as { reg32: Int32Array };
  reg32[0] = VMWARE_MAGIC;
  reg32[1] = command;
  reg32[3] = ebx;
  const eax = inl(machine, 0x5658);
  return [eax, reg32[3], reg32[1], reg32[2]];
};

const enableBackdoor = (machine: Machine): void => {
  backdoor(machine, Command.control, 0x45414552);
  backdoor(machine, Command.data, 1);
  backdoor(machine, Command.control, 0x53424152);
};

/** All packets: status, x, y, wheel. */
const readBackdoor = (machine: Machine): number[][] => {
  const packets: number[][] = [];
  while (backdoor(machine, Command.status, 0)[0] >= 4) packets.push(backdoor(machine, Command.data, 4));
  return packets;
};

test("relative motion is PS/2: y upwards, buttons as they are", async () => {
  await using machine = await makeBareMachine();
  enableMouse(machine);
  machine.pointer.motion(3, 5, 0, 0);
  expect(readMouse(machine)).toEqual([0x28, 3, 0xfb]);
  machine.pointer.motion(0, 0, 0, 1 | 4);
  expect(readMouse(machine)).toEqual([0x08 | 1 | 2, 0, 0]);
  machine.pointer.motion(0, 0, 0, 2);
  expect(readMouse(machine)).toEqual([0x08 | 4, 0, 0]);
});

test("absolute positions go through the backdoor, hit their pixel, and raise an interrupt", async () => {
  const states: boolean[] = [];
  await using machine = await makeBareMachine({
    events: silentEvents({ tabletState: (on) => void states.push(on) }),
  });
  enableMouse(machine);
  expect(machine.pointer.absolute).toBe(false);
  enableBackdoor(machine);
  expect(machine.pointer.absolute).toBe(true);
  expect(states.at(-1)).toBe(true);
  for (const [width, x] of [
    [1024, 0],
    [1024, 1023],
    [1920, 1],
    [1920, 1919],
    [720, 359],
  ]) {
    machine.pointer.position(x, x >> 1, 0, 0, width, width);
    const [packet] = readBackdoor(machine);
    expect(Math.floor((packet[1] * width) / 65536)).toBe(x);
    expect(Math.floor((packet[2] * width) / 65536)).toBe(x >> 1);
  }
  expect(readMouse(machine).length).toBeGreaterThan(0);
});

test("buttons and wheel of an absolute pointer", async () => {
  await using machine = await makeBareMachine();
  enableMouse(machine);
  enableBackdoor(machine);
  machine.pointer.position(10, 10, -1, 1, 100, 100);
  const packets = readBackdoor(machine);
  expect(packets.at(-1)?.[0]).toBe(0x20);
  expect(((packets.at(-1)?.[3] ?? 0) << 24) >> 24).toBe(-1);
});

test("relative motion of a guest with the backdoor's driver goes through the backdoor", async () => {
  await using machine = await makeBareMachine();
  enableMouse(machine);
  enableBackdoor(machine);
  machine.pointer.motion(4, 6, 0, 0);
  expect(readBackdoor(machine)).toEqual([[0x10000, 4, -6, 0]]);
});

import { afterEach, expect, test, vi } from "vitest";
import { INPUT_DEAF_MS, POINTER_LOOK_MS, POINTER_PS2_BYTES, POINTER_QUEUE, POINTER_ROOM } from "../limits.ts";
import { inb, makeBareMachine, outb } from "../machine.testing.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A machine whose guest has a PS/2 mouse and reads it when the test says so. */
const stalledMachine = async () => {
  const machine = await makeBareMachine();
  outb(machine, 0x64, 0xd4);
  outb(machine, 0x60, 0xf4);
  expect(inb(machine, 0x60)).toBe(0xfa);
  machine.emulator.is_running = () => true;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const buffer = machine.emulator.v86.cpu.devices.ps2.mouse_buffer;
  /** All packets: buttons, x to the right, y downwards. */
  const readAll = (): number[][] => {
    const packets: number[][] = [];
    for (let idle = 0; idle < 3; idle++) {
      for (; buffer.length > 0; idle = 0) {
        const [flags, x, y] = [inb(machine, 0x60), inb(machine, 0x60), inb(machine, 0x60)];
        packets.push([flags & 7, x - (flags & 0x10 ? 256 : 0), -(y - (flags & 0x20 ? 256 : 0))]);
      }
      vi.advanceTimersByTime(POINTER_LOOK_MS);
    }
    return packets;
  };
  return { machine, buffer, readAll };
};

const sumOf = (packets: number[][]) =>
  packets.reduce(([x, y], packet) => [x + packet[1], y + packet[2]], [0, 0]);

test("a guest that does not read gets the sum of all motions, and v86's buffer never overflows", async () => {
  const { machine, buffer, readAll } = await stalledMachine();
  let most = 0;
  for (let i = 0; i < 20_000; i++) {
    expect(await machine.pointer.motion(1, -1, 0, 0)).toBe(0);
    most = Math.max(most, buffer.length);
  }
  expect(most).toBeLessThanOrEqual(POINTER_PS2_BYTES + 3);
  expect(machine.pointer.queued).toBe(1);
  const packets = readAll();
  // Beyond what fitted the buffer it is one motion, cut off where a broken client's would be.
  expect(packets.length).toBeGreaterThan(POINTER_PS2_BYTES / 3);
  const [x, y] = sumOf(packets);
  expect(x).toBe(-y);
  expect(x).toBeGreaterThan(8192);
});

test("every press and release of a button arrives, in order, and whoever clicks waits for room", async () => {
  const { machine, readAll } = await stalledMachine();
  const clicks = 2000;
  const dropped: number[] = [];
  const clicking = (async () => {
    for (let i = 0; i < 2 * clicks; i++) dropped.push(await machine.pointer.motion(0, 0, 0, (i + 1) % 2));
  })();
  await vi.advanceTimersByTimeAsync(INPUT_DEAF_MS / 2);
  expect(dropped.length).toBeLessThan(POINTER_PS2_BYTES);
  expect(machine.pointer.queued).toBeLessThanOrEqual(POINTER_ROOM + 1);
  const seen: number[] = [];
  while (dropped.length < 2 * clicks) {
    seen.push(...readAll().map(([buttons]) => buttons));
    await vi.advanceTimersByTimeAsync(POINTER_LOOK_MS);
  }
  await clicking;
  expect(dropped.every((count) => count === 0)).toBe(true);
  seen.push(...readAll().map(([buttons]) => buttons));
  expect(seen).toEqual(Array.from({ length: 2 * clicks }, (_, index) => (index + 1) % 2));
});

test("a guest that never reads: changes go, which is said, and the buttons end as they are", async () => {
  const { machine, readAll } = await stalledMachine();
  const { pointer } = machine;
  // Past v86's own buffer, up to where there is just room.
  for (let i = 0; pointer.queued < POINTER_ROOM; i++) void pointer.motion(0, 0, 0, i % 2);
  let dropped = 0;
  const waiting = [2, 0, 4].map((buttons) => pointer.motion(0, 0, 0, buttons));
  for (const one of waiting) void one.then((count) => (dropped += count));
  await vi.advanceTimersByTimeAsync(INPUT_DEAF_MS + 1000);
  await Promise.all(waiting);
  expect(dropped).toBeGreaterThan(0);
  expect(pointer.queued).toBe(1);
  expect(readAll().at(-1)?.[0]).toBe(2);
});

test("who does not wait for room keeps the last state only", async () => {
  const { machine, readAll } = await stalledMachine();
  for (let i = 0; i < 10_000; i++) void machine.pointer.motion(0, 0, 0, i % 2 === 0 ? 1 : 2);
  expect(machine.pointer.queued).toBeLessThanOrEqual(POINTER_QUEUE);
  void machine.pointer.motion(0, 0, 0, 0);
  expect(readAll().at(-1)?.[0]).toBe(0);
});

import { expect, test } from "vitest";
import { StateRefusedError } from "../../state/errors.ts";
import { QXL_IO_PORT } from "../devices/pci-function.ts";
import type { Machine } from "../machine.ts";
import { inb, makeBareMachine, outb, silentEvents } from "../machine.testing.ts";
import { MemoryStateFolder } from "../../state/memory-state-folder.ts";
import { STATE_HEADER_BYTES } from "../../state/state-header.ts";
import { StateStore } from "../../state/state-store.ts";
import { collect, restorable } from "../../state/state-transfer.ts";
import { eventually } from "../../waiting.testing.ts";

test("memory, aperture, devices and the registers that v86 forgets come back", async () => {
  await using first = await makeBareMachine();
  outb(first, QXL_IO_PORT + 6, 0);
  const { primarySize } = first.qxl;
  first.memory.all().set([1, 2, 3], 0x123456);
  first.memory.ram()[77] = 88;
  first.memory.vram()[0x3ffffff] = 99;
  const { cpu } = first.emulator.v86;
  cpu.mxcsr[0] = 0x1f00;
  cpu.fpu_status_word[0] = 0x3800;
  outb(first, 0x60, 0xed);
  outb(first, 0x60, 2);
  const saved = collect(first);

  const leds: number[] = [];
  await using second = await makeBareMachine({
    events: silentEvents({ leds: (value) => void leds.push(value) }),
  });
  second.memory.all()[0x200000] = 1;
  await second.restoreState(restorable(saved));
  expect([...second.memory.all().subarray(0x123456, 0x123459)]).toEqual([1, 2, 3]);
  expect(second.memory.ram()[77]).toBe(88);
  expect(second.memory.vram()[0x3ffffff]).toBe(99);
  expect(second.qxl.mode).toBe("compat");
  expect(second.qxl.primarySize).toEqual(primarySize);
  expect(leds).toEqual([2]);
  const cpu2 = second.emulator.v86.cpu;
  expect(cpu2.mxcsr[0]).toBe(0x1f00);
  expect(cpu2.fpu_status_word[0]).toBe(0x3800);
  // They are views again: a change in wasm memory is seen, and saved.
  cpu2.mxcsr[0] = 0x1f80;
  const again = collect(second);
  await using third = await makeBareMachine();
  await third.restoreState(restorable(again));
  expect(third.emulator.v86.cpu.mxcsr[0]).toBe(0x1f80);
});

test("a machine that has run is wiped where the state is zero", async () => {
  await using machine = await makeBareMachine();
  const saved = collect(machine);
  await machine.restoreState(restorable(saved));
  machine.memory.all()[0x345678] = 1;
  await machine.restoreState(restorable(saved));
  expect(machine.memory.all()[0x345678]).toBe(0);
});

test("states that do not fit are refused before the machine changes", async () => {
  await using machine = await makeBareMachine();
  const { header, state } = collect(machine);
  machine.memory.all()[0x345678] = 1;
  const refusal = async (change: Partial<typeof header>, bytes = state) => {
    const changed = restorable({ header: { ...header, ...change }, state: bytes });
    const error = await machine.restoreState(changed).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StateRefusedError);
    return (error as StateRefusedError).refusal;
  };
  expect(await refusal({ buildId: "other" })).toBe("guest-build");
  expect(await refusal({}, state.slice(0, -4))).toBe("truncated");
  expect(await refusal({}, new ArrayBuffer(3))).toBe("truncated");
  const broken = state.slice(0);
  new Uint8Array(broken)[0] ^= 0xff;
  expect(await refusal({}, broken)).toBe("content");
  expect(machine.memory.all()[0x345678]).toBe(1);
  const damagedInside = state.slice(0);
  new Uint8Array(damagedInside).fill(0x20, 16, 400);
  expect(await refusal({}, damagedInside)).toBe("content");
});

test("a machine out of a store is the one that was saved, and a damaged one never comes out", async () => {
  await using machine = await makeBareMachine();
  machine.memory.all().set([1, 2, 3], 0x123456);
  const folder = new MemoryStateFolder();
  const store = new StateStore(folder);
  await store.save("test", machine);
  machine.memory.all().fill(0, 0x123456, 0x123459);
  const stored = await store.open((await store.kept("test"))[0]);
  await machine.restoreState(stored);
  stored.source[Symbol.dispose]();
  expect([...machine.memory.all().subarray(0x123456, 0x123459)]).toEqual([1, 2, 3]);

  const file = folder.contents("test.0")!;
  // Anywhere: also where v86 itself never looks, and where it could not tell.
  for (const part of [0, 0.01, 0.2, 0.5, 0.9, 1]) {
    const at = STATE_HEADER_BYTES + Math.floor(part * (file.length - STATE_HEADER_BYTES - 1));
    file[at] ^= 0x10;
    await using other = await makeBareMachine();
    await expect(
      (async () => {
        const damaged = await store.open((await store.kept("test"))[0]);
        using _ = damaged.source;
        await other.restoreState(damaged);
      })(),
      `byte ${at}`,
    ).rejects.toThrow(StateRefusedError);
    file[at] ^= 0x10;
  }
});

test("what was down when the machine was kept is let go of when it comes back", async () => {
  await using machine = await makeBareMachine();
  outb(machine, 0x60, ENABLE_KEYBOARD);
  await readKeys(machine, 1);
  machine.keyboard.push([0x1d, 0xe0, 0x48, 0x1e, 0x9e]);
  expect(await readKeys(machine, 5)).toEqual([0x1d, 0xe0, 0x48, 0x1e, 0x9e]);
  machine.pointer.motion(0, 0, 0, 1);
  const kept = collect(machine);
  await using restored = await makeBareMachine();
  await restored.restoreState(restorable(kept));
  expect(await readKeys(restored, 3)).toEqual([0x9d, 0xe0, 0xc8]);
  expect(restored.pointer.buttons).toBe(0);
  expect(restored.keyboard.releases).toEqual([]);
});

const ENABLE_KEYBOARD = 0xf4;

/** The guest: reads each byte that the controller offers, until `count` came. */
async function readKeys(machine: Machine, count: number): Promise<number[]> {
  const bytes: number[] = [];
  await eventually(() => {
    if (machine.emulator.v86.cpu.devices.ps2.kbd_buffer.length > 0) bytes.push(inb(machine, 0x60));
    return bytes.length === count;
  }, `${count} bytes of the keyboard controller`);
  return bytes;
}

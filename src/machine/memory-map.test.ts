import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MachineOptionsError } from "./errors.ts";
import type { Machine } from "./machine.ts";
import { QXLRom } from "../protocol/index.ts";
import { inb, makeBareMachine, outb, outl, outw, RecordingRed } from "./machine.testing.ts";
import { layOutAperture } from "./memory-map.ts";
import { QXL_IO_BYTES, QXL_IO_PORT, QXL_PCI_ID, qxlConfigSpace, qxlPciId } from "./devices/pci-function.ts";

test("every BAR lies at a multiple of its size, above usable memory, without overlap", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 28 }), (units) => {
      const { usable, ram, vram, rom, total } = layOutAperture(units * 64);
      for (const bar of [ram, vram, rom]) expect(bar.base % bar.size).toBe(0);
      expect([ram.base, vram.base, rom.base]).toEqual([usable, ram.base + ram.size, vram.base + vram.size]);
      expect(total).toBeGreaterThanOrEqual(rom.base + rom.size);
      expect(total).toBeLessThan(2 ** 31);
    }),
  );
});

test.each([0, 1, 100, 32, 2048, 63.5, Number.NaN])("%s MiB cannot be laid out", (memoryMiB) => {
  expect(() => layOutAperture(memoryMiB)).toThrow(MachineOptionsError);
});

const cmos = (machine: Machine, register: number): number => {
  outb(machine, 0x70, register);
  return inb(machine, 0x71);
};

const fwCfg = (machine: Machine, item: number, length: number): number[] => {
  outw(machine, 0x510, item);
  return Array.from({ length }, () => inb(machine, 0x511));
};

test("CMOS and fw_cfg tell the BIOS of usable memory only", async () => {
  await using machine = await makeBareMachine();
  expect(cmos(machine, 0x34) | (cmos(machine, 0x35) << 8)).toBe((48 * 1024 * 1024) >> 16);
  expect(cmos(machine, 0x30) | (cmos(machine, 0x31) << 8)).toBe(63 * 1024);
  expect(cmos(machine, 0x17) | (cmos(machine, 0x18) << 8)).toBe(63 * 1024);
  expect(fwCfg(machine, 3, 8)).toEqual([0, 0, 0, 4, 0, 0, 0, 0]);
  expect(String.fromCharCode(...fwCfg(machine, 0, 4))).toBe("QEMU");
});

test("the aperture is memory that guest and device share, and views survive growth", async () => {
  await using machine = await makeBareMachine();
  const { cpu } = machine.emulator.v86;
  machine.memory.ram()[5] = 0x77;
  expect(machine.memory.all()[machine.layout.ram.base + 5]).toBe(0x77);
  const before = machine.memory.vram();
  cpu.wasm_memory.grow(1);
  expect(before.length).toBe(0);
  expect(machine.memory.vram().length).toBe(machine.layout.vram.size);
  expect(machine.memory.ram()[5]).toBe(0x77);
});

test("QXL is the only VGA function on the bus", async () => {
  await using machine = await makeBareMachine();
  const { pci } = machine.emulator.v86.cpu.devices;
  const functions = pci.device_spaces.flatMap((space, id) => (space ? [{ id, class: space[2] >>> 16 }] : []));
  expect(functions.filter((entry) => entry.class === 0x0300)).toEqual([{ id: QXL_PCI_ID, class: 0x0300 }]);
});

test("QXL's ports reach the device with their offset, reads give ones", async () => {
  await using machine = await makeBareMachine();
  // NOTIFY_OOM .. LOG do nothing in VGA mode; SET_MODE 0 leaves it.
  expect(machine.qxl.mode).toBe("vga");
  outl(machine, QXL_IO_PORT + 6, 0);
  expect(machine.qxl.mode).toBe("compat");
  expect(machine.scanoutMode).toBeUndefined();
  expect(inb(machine, QXL_IO_PORT + 6)).toBe(0xff);
});

test("writing a VGA register brings the legacy screen back", async () => {
  await using machine = await makeBareMachine();
  outb(machine, QXL_IO_PORT + 6, 0);
  outb(machine, 0x3d4, 0x0c);
  expect(machine.qxl.mode).toBe("vga");
});

test("the configuration space says QXL revision 4, VGA class, INTA", () => {
  const space = qxlConfigSpace(layOutAperture(256));
  expect(space.slice(0, 4)).toEqual([0x36, 0x1b, 0x00, 0x01]);
  expect(space.slice(8, 12)).toEqual([4, 0, 0, 3]);
  expect(space.slice(0x10, 0x20)).toEqual([0, 0, 0, 0x10, 0, 0, 0, 0x14, 0, 0, 0, 0x18, 1, 0xc1, 0, 0]);
  expect(space[0x3d]).toBe(1);
});

test("several devices have their BARs at multiples of their sizes too, one after the other", () => {
  const { usable, devices, total, ...first } = layOutAperture(256, 4);
  expect(devices.length).toBe(4);
  expect(first).toEqual(devices[0]);
  const bars = devices.flatMap(({ ram, vram, rom }) => [ram, vram, rom]).toSorted((a, b) => a.base - b.base);
  let end = usable;
  for (const { base, size } of bars) {
    expect(base % size).toBe(0);
    expect(base).toBeGreaterThanOrEqual(end);
    end = base + size;
  }
  expect(total).toBeGreaterThanOrEqual(end);
  // One device lies where it lay before there could be several.
  expect(layOutAperture(256, 1)).toEqual(layOutAperture(256));
});

test.each([0, 5, 1.5, Number.NaN])("%s displays cannot be had", (displays) => {
  expect(() => layOutAperture(256, displays)).toThrow(MachineOptionsError);
});

test("of several QXL functions the first is VGA, the others are displays without it", async () => {
  const otherSinks = Array.from({ length: 3 }, () => new RecordingRed().sink);
  await using machine = await makeBareMachine({ otherSinks });
  const { pci } = machine.emulator.v86.cpu.devices;
  const classes = [0, 1, 2, 3].map((display) => pci.device_spaces[qxlPciId(display)]![2] >>> 8);
  expect(classes).toEqual([0x030000, 0x038000, 0x038000, 0x038000]);
  // Each has its own ports, memory and mode.
  expect(machine.displays.map(({ mode }) => mode)).toEqual(["vga", "undefined", "undefined", "undefined"]);
  outb(machine, QXL_IO_PORT + 2 * QXL_IO_BYTES + 6, 0);
  expect(machine.displays.map(({ mode }) => mode)).toEqual(["vga", "undefined", "compat", "undefined"]);
  // A console in VGA text does not take another device's screen away.
  outb(machine, 0x3d4, 0x0c);
  expect(machine.displays[2].mode).toBe("compat");
  const ids = machine.layout.devices.map(({ rom }) => machine.memory.all()[rom.base + QXLRom.offset.id]);
  expect(ids).toEqual([0, 1, 2, 3]);
});

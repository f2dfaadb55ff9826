import { expect, test } from "vitest";
import { INITRD_ADDRESS, loadKernel, prepareSetup } from "./direct-boot.ts";
import { KernelImageError } from "./errors.ts";
import { makeBareMachine, tinyKernel } from "./machine.testing.ts";

test("the loader's fields follow the boot protocol, the image is left alone", () => {
  const kernel = tinyKernel();
  const before = new Uint8Array(kernel.slice(0));
  const { setup, protectedMode } = prepareSetup({ kernel, initrd: new ArrayBuffer(1000), cmdline: "quiet" });
  const view = new DataView(setup.buffer);
  expect(setup.length).toBe(3 * 512);
  expect([...protectedMode]).toEqual(Array.from({ length: 16 }, () => 0xcc));
  expect(view.getUint8(0x210)).toBe(0xff);
  expect(view.getUint8(0x211)).toBe(0x81);
  expect(view.getUint32(0x218, true)).toBe(INITRD_ADDRESS);
  expect(view.getUint32(0x21c, true)).toBe(1000);
  expect(view.getUint32(0x228, true)).toBe(0x8e000);
  expect(new Uint8Array(kernel)).toEqual(before);
});

test.each([
  ["no boot flag", (view: DataView) => view.setUint16(0x1fe, 0, true)],
  ["no magic", (view: DataView) => view.setUint32(0x202, 0, true)],
  ["an old protocol", (view: DataView) => view.setUint16(0x206, 0x204, true)],
  ["a low load", (view: DataView) => view.setUint8(0x211, 0)],
  ["too much setup code", (view: DataView) => view.setUint8(0x1f1, 200)],
])("a kernel with %s is refused", (_, change) => {
  expect(() => prepareSetup({ kernel: tinyKernel(change), cmdline: "" })).toThrow(KernelImageError);
});

test("a command line that is too long is refused", () => {
  expect(() => prepareSetup({ kernel: tinyKernel(), cmdline: "x".repeat(256) })).toThrow(/256 characters/);
});

test("kernel, command line and initrd lie in guest RAM; the ROM starts them", async () => {
  await using machine = await makeBareMachine({ memoryMiB: 128 });
  const { cpu } = machine.emulator.v86;
  const files = { kernel: tinyKernel(), initrd: Uint8Array.of(7, 8, 9).buffer, cmdline: "root=x" };
  loadKernel(cpu, machine.layout.usable, files);
  loadKernel(cpu, machine.layout.usable, files);
  const memory = machine.memory.all();
  expect(new TextDecoder().decode(memory.subarray(0x8e000, 0x8e007))).toBe("root=x\0");
  expect(memory[0x100000]).toBe(0xcc);
  expect([...memory.subarray(INITRD_ADDRESS, INITRD_ADDRESS + 3)]).toEqual([7, 8, 9]);
  const roms = cpu.option_roms.filter(({ name }) => name === "genroms/kernel.bin");
  expect(roms.length).toBe(1);
  const { data } = roms[0];
  expect([data.length, data[0], data[1], data[2]]).toEqual([512, 0x55, 0xaa, 1]);
  expect(data.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
});

test("what does not fit into RAM is refused", async () => {
  await using machine = await makeBareMachine();
  const files = { kernel: tinyKernel(), initrd: new ArrayBuffer(1), cmdline: "" };
  expect(() => loadKernel(machine.emulator.v86.cpu, machine.layout.usable, files)).toThrow(/64 MiB/);
});

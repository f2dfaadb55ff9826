import { expect, test } from "vitest";
import { MachineOptionsError } from "./errors.ts";
import { makeBareMachine, outb, RecordingRed, silentEvents } from "./machine.testing.ts";
import { QXL_IO_PORT } from "./devices/pci-function.ts";

test("memory that cannot be laid out is refused before v86 is made", async () => {
  await expect(makeBareMachine({ memoryMiB: 100 })).rejects.toThrow(MachineOptionsError);
});

test("a fault in a slice ends the machine with its reason, and it can still be disposed of", async () => {
  let failed: (error: Error) => void;
  const failure = new Promise<Error>((resolve) => (failed = resolve));
  await using machine = await makeBareMachine({ events: silentEvents({ failed: (error) => failed(error) }) });
  machine.emulator.v86.cpu.devices.pci.raise_irq = () => {};
  const { v86 } = machine.emulator;
  v86.yield_callback = () => {
    throw new RangeError("a device of ours");
  };
  machine.run();
  expect((await failure).message).toBe("a device of ours");
  expect(machine.running).toBe(false);
  await machine.pause();
});

test("instructions add up beyond the 32 bits of v86's counter", async () => {
  await using machine = await makeBareMachine();
  const { instruction_counter: counter } = machine.emulator.v86.cpu;
  const { instructions } = machine.stats();
  counter[0] = 0xffff_fff0;
  machine.stats();
  counter[0] = 0x10;
  expect(machine.stats().instructions - instructions).toBe(0xffff_fff0 - 0 + 0x20);
});

test("a reset brings the device back to VGA, with a new picture in a new primary", async () => {
  const red = new RecordingRed();
  await using machine = await makeBareMachine({ sink: red.sink });
  outb(machine, QXL_IO_PORT + 6, 0);
  expect(machine.screenSize).toEqual(machine.qxl.primarySize);
  await Promise.resolve();
  red.commands.length = 0;
  machine.reset();
  machine.scanout.start();
  machine.scanout.poll();
  await Promise.resolve();
  await Promise.resolve();
  expect(machine.qxl.mode).toBe("vga");
  expect(red.commands.map(({ type }) => type)).toEqual(["reset", "surfaceCreate"]);
  expect([red.width, red.height]).toEqual([machine.screenSize.width, machine.screenSize.height]);
});

test("without credit nothing is drawn, and all of it later", async () => {
  const red = new RecordingRed({ credit: 1 });
  await using machine = await makeBareMachine({ sink: red.sink });
  await Promise.resolve();
  machine.scanout.text.setSize(2, 1);
  red.holding = true;
  machine.scanout.poll();
  await Promise.resolve();
  expect(red.commands.map(({ type }) => type)).toEqual(["reset", "surfaceCreate"]);
  machine.scanout.text.putCharacter(0, 0, 0x41, 0, 0x0000aa, 0xffffff);
  machine.scanout.poll();
  await Promise.resolve();
  expect(red.commands.length).toBe(2);
  red.release();
  machine.scanout.poll();
  await Promise.resolve();
  expect(red.commands.at(-1)?.type).toBe("draw");
  expect(red.pixels[0]).toBe(0x0000aa);
});

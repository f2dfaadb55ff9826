import { expect, test } from "vitest";
import { makeBareMachine, RecordingRed } from "../machine.testing.ts";
import type { V86Cpu } from "../v86/v86-private.ts";
import { qxlPciId } from "./pci-function.ts";

/** IRQ 10 and 11 as SeaBIOS gives them to the four PCI lines. */
const PIRQS = [10, 10, 11, 11];

test("a line that two displays share stays high until both have lowered theirs", async () => {
  const others = [new RecordingRed().sink, new RecordingRed().sink];
  await using machine = await makeBareMachine({ otherSinks: others });
  const cpu = machine.emulator.v86.cpu as V86Cpu &
    Record<"device_raise_irq" | "device_lower_irq", (irq: number) => void>;
  const { pci } = cpu.devices;
  (pci as unknown as { isa_bridge_space8: Uint8Array }).isa_bridge_space8.set(PIRQS, 0x60);
  const line = { level: new Map<number, boolean>(), rises: 0 };
  cpu.device_raise_irq = (irq) => {
    if (!line.level.get(irq)) line.rises++;
    line.level.set(irq, true);
  };
  cpu.device_lower_irq = (irq) => void line.level.set(irq, false);
  // Devices 3 and 4 are on lines C and D.
  const [, second, third] = [0, 1, 2].map(qxlPciId);
  pci.raise_irq(second);
  pci.raise_irq(third);
  expect([line.level.get(11), line.rises]).toEqual([true, 1]);
  pci.lower_irq(second);
  // A new edge for what is still to be said.
  expect([line.level.get(11), line.rises]).toEqual([true, 2]);
  pci.lower_irq(third);
  expect(line.level.get(11)).toBe(false);
});

/**
 * QEMU's pvpanic-pci: one register by which a guest's kernel says that it has panicked. Linux has a driver for it since 5.14. Without
 * it a panic could not be told from a busy machine: Linux then spins with interrupts on.
 */
import type { V86Cpu } from "../v86/v86-private.ts";

/** PCI device 13. */
const PCI_ID = 13 << 3;
const VENDOR_REDHAT = 0x1b36;
const DEVICE_PVPANIC = 0x0011;
const SUBSYSTEM_VENDOR = 0x1af4;
const SUBSYSTEM_DEVICE = 0x1100;
const COMMAND_MEMORY = 0x0002;
const REVISION = 1;
/** "System peripheral, other". */
const CLASS_SYSTEM_OTHER = [0x80, 0x08] as const;

/** Where BAR0 lies. v86 maps memory in units of 128 KiB and does not move memory BARs; nothing else of the machine is there. */
const BASE = 0xfea00000;
const UNIT_BYTES = 128 * 1024;
const BAR_BYTES = 4096;

/** Bits of the register: reading tells which the device takes, writing one tells the event. */
const PANICKED = 1 << 0;

/** The 256 byte configuration space (little-endian). */
const configSpace = (): number[] => {
  const space = new Uint8Array(256);
  const view = new DataView(space.buffer);
  view.setUint16(0x00, VENDOR_REDHAT, true);
  view.setUint16(0x02, DEVICE_PVPANIC, true);
  view.setUint16(0x04, COMMAND_MEMORY, true);
  view.setUint8(0x08, REVISION);
  space.set(CLASS_SYSTEM_OTHER, 0x0a);
  view.setUint32(0x10, BASE, true);
  view.setUint16(0x2c, SUBSYSTEM_VENDOR, true);
  view.setUint16(0x2e, SUBSYSTEM_DEVICE, true);
  return [...space];
};

/** Puts the device on the bus. `panicked` is called inside the guest's write. */
export const registerPvpanic = (cpu: V86Cpu, panicked: () => void): void => {
  const read = (address: number): number => ((address & (UNIT_BYTES - 1)) === 0 ? PANICKED : 0);
  const write = (address: number, value: number): void => {
    if ((address & (UNIT_BYTES - 1)) === 0 && value & PANICKED) panicked();
  };
  cpu.io.mmap_register(BASE, UNIT_BYTES, read, write, read, write);
  cpu.devices.pci.register_device({
    name: "pvpanic",
    pci_id: PCI_ID,
    pci_space: configSpace(),
    pci_bars: [{ size: BAR_BYTES }],
  });
};

/** QXL on v86's PCI bus: the first one is the primary VGA function, in the place of v86's own, the others are displays without VGA. */
import type { DeviceLayout } from "../memory-map.ts";
import { QXL_ROM_BYTES } from "../memory-map.ts";
import type { V86Cpu } from "../v86/v86-private.ts";

/** PCI devices 2, 3, 4 and 6 (5 is v86's network card), function 0. Linux routes their INTA to the PIC through the PIIX3 bridge. */
const QXL_PCI_IDS = [2 << 3, 3 << 3, 4 << 3, 6 << 3] as const;
/** The first one's. */
export const [QXL_PCI_ID] = QXL_PCI_IDS;
export const qxlPciId = (device: number): number => QXL_PCI_IDS[device];
/** Where BAR3 lies until the BIOS moves it; v86 moves only ports from 0x1000 on. */
export const QXL_IO_PORT = 0xc100;
export const QXL_IO_BYTES = 32;

const VENDOR_REDHAT = 0x1b36;
const DEVICE_QXL = 0x0100;
const SUBSYSTEM_VENDOR = 0x1af4;
const SUBSYSTEM_DEVICE = 0x1100;
/** Revision 4: client capabilities and monitors config; Linux refuses less. */
const REVISION = 4;
const COMMAND_IO_MEMORY = 0x0103;
const BASE_CLASS_DISPLAY = 3;
/** "Display controller, other": of a device without VGA. */
const SUBCLASS_OTHER = 0x80;
/** v86 maps the VGA BIOS here; the expansion ROM register answers with it. */
const VGA_ROM_ADDRESS = 0xfeb00000;
const VGA_ROM_BYTES = 0x10000;

const qxlPort = (device: number): number => QXL_IO_PORT + device * QXL_IO_BYTES;

/** The 256 byte configuration space (qxl-device.md §5.1; little-endian). */
export const qxlConfigSpace = (layout: DeviceLayout, device = 0): number[] => {
  const space = new Uint8Array(256);
  const view = new DataView(space.buffer);
  view.setUint16(0x00, VENDOR_REDHAT, true);
  view.setUint16(0x02, DEVICE_QXL, true);
  view.setUint16(0x04, COMMAND_IO_MEMORY, true);
  view.setUint8(0x08, REVISION);
  if (device > 0) view.setUint8(0x0a, SUBCLASS_OTHER);
  view.setUint8(0x0b, BASE_CLASS_DISPLAY);
  view.setUint32(0x10, layout.ram.base, true);
  view.setUint32(0x14, layout.vram.base, true);
  view.setUint32(0x18, layout.rom.base, true);
  view.setUint32(0x1c, qxlPort(device) | 1, true);
  view.setUint16(0x2c, SUBSYSTEM_VENDOR, true);
  view.setUint16(0x2e, SUBSYSTEM_DEVICE, true);
  view.setUint8(0x3d, 1); // INTA
  return [...space];
};

/** Takes a function of v86's off the bus; what it registered beside (ports, memory) keeps working. */
export const removePciFunction = (cpu: V86Cpu, pciId: number): void => {
  const { pci } = cpu.devices;
  pci.devices[pciId] = undefined;
  pci.device_spaces[pciId] = undefined;
};

/** Puts a QXL device on the bus, number 0 as the VGA function. `ioWrite` gets the offset in BAR3 and the byte written. */
export const registerQxlFunction = (
  cpu: V86Cpu,
  layout: DeviceLayout,
  ioWrite: (offset: number, value: number) => void,
  device = 0,
): void => {
  if (device === 0) removePciFunction(cpu, cpu.devices.vga.pci_id);
  const owner = { name: "qxl" };
  const ones = (width: number) => () => (width === 32 ? -1 : 2 ** width - 1);
  // Ports before the function: v86 remembers them as the BAR's content and moves them with it.
  for (let offset = 0; offset < QXL_IO_BYTES; offset++) {
    const write = (value: number) => ioWrite(offset, value & 0xff);
    cpu.io.register_write(qxlPort(device) + offset, owner, write, write, write);
    cpu.io.register_read(qxlPort(device) + offset, owner, ones(8), ones(16), ones(32));
  }
  cpu.devices.pci.register_device({
    name: "qxl",
    pci_id: qxlPciId(device),
    pci_space: qxlConfigSpace(layout, device),
    pci_bars: [
      { size: layout.ram.size },
      { size: layout.vram.size },
      { size: QXL_ROM_BYTES },
      { size: QXL_IO_BYTES },
    ],
    ...(device === 0 && { pci_rom_size: VGA_ROM_BYTES, pci_rom_address: VGA_ROM_ADDRESS }),
  });
};

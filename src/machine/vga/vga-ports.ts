/**
 * Makes v86's VGA core the legacy part of QXL: the VBE frame buffer is the start of BAR0, for the window at 0xA0000 too,
 * and register writes are seen, because on QXL they end native mode.
 */
import { QXL_VGAMEM_BYTES } from "../memory-map.ts";
import type { GuestMemory } from "../memory-map.ts";
import type { V86Cpu } from "../v86/v86-private.ts";
import { vbeBytesPerPixel } from "./vbe-rows.ts";

const DISPI_DATA_PORT = 0x1cf;
const DISPI_ENABLE = 4;
const DISPI_VIDEO_MEMORY_64K = 10;
const DISPI_ENABLED = 0x01;
const DISPI_NO_CLEAR = 0x80;
const WINDOW_BASE = 0xa0000;

/** Leads the VBE window and VBE's clearing of the screen into BAR0, and says that VBE has QXL's vgamem. */
export const redirectVbe = (cpu: V86Cpu, memory: GuestMemory): void => {
  const { vga } = cpu.devices;
  const address = (at: number) => (at - WINDOW_BASE) | vga.svga_bank_offset;

  const read = vga.vga_memory_read.bind(vga);
  vga.vga_memory_read = (at) => {
    if (!vga.svga_enabled) return read(at);
    return address(at) < QXL_VGAMEM_BYTES ? memory.ram()[address(at)] : 0xff;
  };
  const write = vga.vga_memory_write.bind(vga);
  vga.vga_memory_write = (at, value) => {
    if (!vga.svga_enabled) write(at, value);
    else if (address(at) < QXL_VGAMEM_BYTES) memory.ram()[address(at)] = value;
  };

  const entry = cpu.io.ports[DISPI_DATA_PORT];
  const { read16, write16 } = entry;
  entry.read16 = function dispiRead(this: object, port) {
    if (vga.dispi_index === DISPI_VIDEO_MEMORY_64K) return QXL_VGAMEM_BYTES >> 16;
    return read16.call(this, port);
  };
  entry.write16 = function dispiWrite(this: object, value) {
    write16.call(this, value);
    if (vga.dispi_index !== DISPI_ENABLE || (value & (DISPI_ENABLED | DISPI_NO_CLEAR)) !== DISPI_ENABLED)
      return;
    const bytes = vga.svga_width * vga.svga_height * vbeBytesPerPixel(vga.svga_bpp);
    memory.ram().fill(0, 0, Math.min(bytes, QXL_VGAMEM_BYTES));
  };
};

/** Ports of qxl_vga_portio_list: CRTC in both places, attribute, sequencer, DAC and graphics controllers, status. */
const VGA_WRITE_PORTS: readonly number[] = [
  0x3b4,
  0x3b5,
  0x3ba,
  ...Array.from({ length: 16 }, (_, index) => 0x3c0 + index),
  0x3d4,
  0x3d5,
  0x3da,
];

/** Calls `before` ahead of every write to a VGA register. */
export const watchVgaWrites = (cpu: V86Cpu, before: () => void): void => {
  for (const port of VGA_WRITE_PORTS) {
    const entry = cpu.io.ports[port];
    for (const width of ["write8", "write16"] as const) {
      const original = entry[width];
      entry[width] = function watched(this: object, value) {
        before();
        original.call(this, value);
      };
    }
  }
};

/**
 * Guest RAM and the QXL aperture. QXL's BARs are plain RAM of v86 above what the guest is told it has, like the stolen
 * memory of an integrated GPU: guest accesses are ordinary JITed RAM accesses, and the device reads the same bytes.
 *
 *     [0, usable) guest RAM | BAR0 QXL RAM | BAR1 VRAM | BAR2 ROM (8 KiB padded to 128 KiB) | end = v86's memory_size
 *
 * With several devices their RAMs and VRAMs follow each other, then their ROMs.
 */
import { MAX_DISPLAYS } from "../protocol/limits.ts";
import { MachineOptionsError } from "./errors.ts";
import type { V86Cpu } from "./v86/v86-private.ts";

const MIB = 1024 * 1024;

/** BAR0: QEMU's default. 16 MiB draw area, the rest for the driver's commands and images. */
export const QXL_RAM_BYTES = 64 * MIB;
/** BAR1: QEMU's default. Linux keeps the primary and its predecessors here. */
export const QXL_VRAM_BYTES = 64 * MIB;
/** BAR2. */
export const QXL_ROM_BYTES = 8192;
/** Draw area at the start of BAR0, and the most VBE may show. */
export const QXL_VGAMEM_BYTES = 16 * MIB;

/** v86 maps memory in units of 128 KiB; the ROM is padded to one. */
const V86_MEMORY_UNIT = 128 * 1024;
/** v86 addresses memory with signed 32 bit numbers. */
const V86_MEMORY_MAX = 2 ** 31 - V86_MEMORY_UNIT;

/** Guest-physical byte ranges of one QXL device. */
export interface DeviceLayout {
  readonly ram: { readonly base: number; readonly size: number };
  readonly vram: { readonly base: number; readonly size: number };
  readonly rom: { readonly base: number; readonly size: number };
}

/** Guest-physical byte ranges of the machine; those of its first QXL device, and of all. */
export interface ApertureLayout extends DeviceLayout {
  /** Bytes of RAM that the guest is told about. */
  readonly usable: number;
  readonly devices: readonly DeviceLayout[];
  /** v86's memory_size. */
  readonly total: number;
}

/**
 * Lays out the apertures of `displays` QXL devices above `memoryMiB` of guest RAM.
 * @throws MachineOptionsError when a BAR would not lie at a multiple of its size, or beyond v86's 2 GiB
 */
export const layOutAperture = (memoryMiB: number, displays = 1): ApertureLayout => {
  if (!Number.isInteger(displays) || displays < 1 || displays > MAX_DISPLAYS) {
    throw new MachineOptionsError(`displays is ${displays}: it must be 1 to ${MAX_DISPLAYS}`);
  }
  const usable = memoryMiB * MIB;
  if (!Number.isInteger(memoryMiB) || memoryMiB < 64 || usable % QXL_RAM_BYTES !== 0) {
    throw new MachineOptionsError(
      `memoryMiB is ${memoryMiB}: it must be a multiple of ${QXL_RAM_BYTES / MIB}, so that the BARs above it are aligned`,
    );
  }
  const roms = usable + displays * (QXL_RAM_BYTES + QXL_VRAM_BYTES);
  const devices = Array.from({ length: displays }, (_, index): DeviceLayout => {
    const ram = { base: usable + index * (QXL_RAM_BYTES + QXL_VRAM_BYTES), size: QXL_RAM_BYTES };
    const vram = { base: ram.base + ram.size, size: QXL_VRAM_BYTES };
    return { ram, vram, rom: { base: roms + index * V86_MEMORY_UNIT, size: QXL_ROM_BYTES } };
  });
  const total = roms + displays * V86_MEMORY_UNIT;
  if (total > V86_MEMORY_MAX) {
    throw new MachineOptionsError(`memoryMiB is ${memoryMiB}: RAM and aperture must stay below 2 GiB`);
  }
  return { usable, ...devices[0], devices, total };
};

/** CMOS registers that tell a BIOS how much memory there is: [register, value]. */
export const cmosMemoryRegisters = (usable: number): readonly (readonly [number, number])[] => {
  const above1MiB = Math.min((usable - MIB) >> 10, 0xffff);
  const above16MiB = usable > 16 * MIB ? Math.min((usable - 16 * MIB) >> 16, 0xffff) : 0;
  return [
    [0x17, above1MiB & 0xff],
    [0x18, above1MiB >> 8],
    [0x30, above1MiB & 0xff],
    [0x31, above1MiB >> 8],
    [0x34, above16MiB & 0xff],
    [0x35, above16MiB >> 8],
  ];
};

const FW_CFG_SELECT_PORT = 0x510;
const FW_CFG_RAM_SIZE = 3;

/** Hides the aperture from the BIOS: CMOS says `usable`, and so does fw_cfg's RAM_SIZE (8 bytes, little-endian). */
export const hideAperture = (cpu: V86Cpu, usable: number): void => {
  for (const [register, value] of cmosMemoryRegisters(usable)) cpu.devices.rtc.cmos_write(register, value);
  const entry = cpu.io.ports[FW_CFG_SELECT_PORT];
  const select = entry.write16;
  entry.write16 = function hiddenRamSize(this: object, item: number) {
    select.call(this, item);
    if (item !== FW_CFG_RAM_SIZE) return;
    const answer = new Uint8Array(8);
    new DataView(answer.buffer).setUint32(0, usable, true);
    cpu.fw_value = answer;
  };
};

/** Views of v86's memory that outlive its growth. Ask at every entry from outside, never keep the answer. */
export class GuestMemory {
  readonly #cpu: V86Cpu;
  readonly #layout: ApertureLayout;
  readonly #offset: number;
  #buffer: ArrayBufferLike | undefined;
  #all = new Uint8Array(0);
  #bars: readonly Record<"ram" | "vram" | "rom", Uint8Array<ArrayBuffer>>[] = [];

  constructor(cpu: V86Cpu, layout: ApertureLayout) {
    this.#cpu = cpu;
    this.#layout = layout;
    this.#offset = cpu.mem8.byteOffset;
    if (cpu.memory_size[0] !== layout.total) {
      throw new MachineOptionsError(
        `v86 made ${cpu.memory_size[0]} bytes of memory, ${layout.total} were asked for`,
      );
    }
  }

  /** Memory growth (JIT, VGA buffers, zstd) detaches every view; the offset stays. */
  #fresh(): void {
    const buffer = this.#cpu.wasm_memory.buffer;
    if (buffer === this.#buffer) return;
    const { devices, total } = this.#layout;
    const view = ({ base, size }: { base: number; size: number }) =>
      new Uint8Array(buffer as ArrayBuffer, this.#offset + base, size);
    this.#buffer = buffer;
    this.#all = view({ base: 0, size: total });
    this.#bars = devices.map(({ ram, vram, rom }) => ({ ram: view(ram), vram: view(vram), rom: view(rom) }));
  }

  /** All guest-physical memory, aperture included. */
  all(): Uint8Array<ArrayBuffer> {
    this.#fresh();
    return this.#all;
  }

  /** BAR0 of a device. */
  ram(device = 0): Uint8Array<ArrayBuffer> {
    this.#fresh();
    return this.#bars[device].ram;
  }

  /** BAR1. */
  vram(device = 0): Uint8Array<ArrayBuffer> {
    this.#fresh();
    return this.#bars[device].vram;
  }

  /** BAR2. */
  rom(device = 0): Uint8Array<ArrayBuffer> {
    this.#fresh();
    return this.#bars[device].rom;
  }
}

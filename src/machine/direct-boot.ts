/**
 * Starts a Linux kernel without a disk: puts kernel, command line and initrd into guest RAM after the x86 boot protocol
 * (Documentation/x86/boot.rst) and gives SeaBIOS an option ROM (fw_cfg file `genroms/…`) that jumps into the setup code.
 * Used instead of v86's `bzimage` option because a reboot must be able to do it again.
 */
import { KernelImageError } from "./errors.ts";
import type { V86Cpu } from "./v86/v86-private.ts";

/** Guest-physical addresses. */
const SETUP_ADDRESS = 0x80000;
const COMMAND_LINE_ADDRESS = 0x8e000;
const PROTECTED_MODE_ADDRESS = 0x100000;
/** Well above any kernel, which must end below. */
export const INITRD_ADDRESS = 0x4000000;

/** Offsets in the setup header. */
const SETUP_SECTS = 0x1f1;
const VID_MODE = 0x1fa;
const BOOT_FLAG = 0x1fe;
const HEADER_MAGIC = 0x202;
const PROTOCOL_VERSION = 0x206;
const TYPE_OF_LOADER = 0x210;
const LOADFLAGS = 0x211;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const HEAP_END_PTR = 0x224;
const CMD_LINE_PTR = 0x228;
const CMDLINE_SIZE = 0x238;

const LOADED_HIGH = 0x01;
const QUIET_FLAG = 0x20;
const KEEP_SEGMENTS = 0x40;
const CAN_USE_HEAP = 0x80;
const VID_MODE_NORMAL = 0xffff;
const HEAP_TOP = 0xe000;

/** What to start. `kernel` is a bzImage (its payload may be raw), `initrd` a cpio. */
export interface KernelFiles {
  readonly kernel: ArrayBuffer;
  readonly initrd?: ArrayBuffer;
  readonly cmdline: string;
}

/** The 512 byte option ROM: 55 AA, length in sectors, code, checksum so that all bytes add up to 0. */
const bootRom = (): Uint8Array => {
  const setup = SETUP_ADDRESS >> 4;
  const loadSegments = [0x8e, 0xc0, 0x8e, 0xd8, 0x8e, 0xe0, 0x8e, 0xe8, 0x8e, 0xd0]; // es ds fs gs ss = ax
  const code = [0xfa, 0xb8, setup & 0xff, setup >> 8] // cli; mov ax, setup segment
    .concat(loadSegments)
    .concat([0xbc, HEAP_TOP & 0xff, HEAP_TOP >> 8]) // mov sp, heap top
    .concat([0xea, 0x00, 0x00, (setup + 0x20) & 0xff, (setup + 0x20) >> 8]); // jmp setup+0x20:0
  const rom = new Uint8Array(512);
  rom.set([0x55, 0xaa, 1, ...code]);
  rom[511] = -rom.reduce((sum, byte) => sum + byte, 0);
  return rom;
};

/** The setup sectors with the loader's fields filled in; the image given stays as it is. */
export const prepareSetup = (files: KernelFiles): { setup: Uint8Array; protectedMode: Uint8Array } => {
  const image = new Uint8Array(files.kernel);
  if (image.length < 0x268) throw new KernelImageError(`kernel image has only ${image.length} bytes`);
  const header = new DataView(files.kernel);
  if (header.getUint16(BOOT_FLAG, true) !== 0xaa55 || header.getUint32(HEADER_MAGIC, true) !== 0x53726448) {
    throw new KernelImageError("not a Linux bzImage: the boot flag or the HdrS magic is missing");
  }
  const protocol = header.getUint16(PROTOCOL_VERSION, true);
  if (protocol < 0x206 || !(header.getUint8(LOADFLAGS) & LOADED_HIGH)) {
    throw new KernelImageError(
      `boot protocol 0x${protocol.toString(16)} is too old: 0x206 and a high load are needed`,
    );
  }
  const setupBytes = ((header.getUint8(SETUP_SECTS) || 4) + 1) * 512;
  if (setupBytes > COMMAND_LINE_ADDRESS - SETUP_ADDRESS || setupBytes >= image.length) {
    throw new KernelImageError(`setup code of ${setupBytes} bytes does not fit`);
  }
  const limit = header.getUint32(CMDLINE_SIZE, true);
  if (files.cmdline.length > limit) {
    throw new KernelImageError(
      `command line has ${files.cmdline.length} characters, this kernel takes ${limit}`,
    );
  }
  const protectedMode = image.subarray(setupBytes);
  if (files.initrd && PROTECTED_MODE_ADDRESS + protectedMode.length > INITRD_ADDRESS) {
    throw new KernelImageError(`kernel of ${protectedMode.length} bytes reaches into the initrd`);
  }
  const setup = image.slice(0, setupBytes);
  const out = new DataView(setup.buffer);
  out.setUint16(VID_MODE, VID_MODE_NORMAL, true);
  out.setUint8(TYPE_OF_LOADER, 0xff);
  out.setUint8(LOADFLAGS, (header.getUint8(LOADFLAGS) & ~(QUIET_FLAG | KEEP_SEGMENTS)) | CAN_USE_HEAP);
  out.setUint16(HEAP_END_PTR, HEAP_TOP - 0x200, true);
  out.setUint32(CMD_LINE_PTR, COMMAND_LINE_ADDRESS, true);
  out.setUint32(RAMDISK_IMAGE, files.initrd ? INITRD_ADDRESS : 0, true);
  out.setUint32(RAMDISK_SIZE, files.initrd?.byteLength ?? 0, true);
  return { setup, protectedMode };
};

const ROM_NAME = "genroms/kernel.bin";

/**
 * Puts the kernel into guest RAM. Call it after the machine was made and again after every reboot, before it runs.
 * @throws KernelImageError when the image is no bzImage or does not fit into `usable` bytes of RAM
 */
export const loadKernel = (cpu: V86Cpu, usable: number, files: KernelFiles): void => {
  const { setup, protectedMode } = prepareSetup(files);
  const initrdEnd = files.initrd ? INITRD_ADDRESS + files.initrd.byteLength : 0;
  if (Math.max(PROTECTED_MODE_ADDRESS + protectedMode.length, initrdEnd) > usable) {
    throw new KernelImageError(`kernel and initrd need more than the ${usable >> 20} MiB of guest RAM`);
  }
  cpu.write_blob(setup, SETUP_ADDRESS);
  cpu.write_blob(new TextEncoder().encode(`${files.cmdline}\0`), COMMAND_LINE_ADDRESS);
  cpu.write_blob(protectedMode, PROTECTED_MODE_ADDRESS);
  if (files.initrd) cpu.write_blob(new Uint8Array(files.initrd), INITRD_ADDRESS);
  if (!cpu.option_roms.some(({ name }) => name === ROM_NAME))
    cpu.option_roms.push({ name: ROM_NAME, data: bootRom() });
};

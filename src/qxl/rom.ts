import {
  QXLClientMonitorsConfig,
  QXLMode,
  QXLModes,
  QXLRom,
  QXLURect,
  QXL_CLIENT_MONITORS_MAX,
  QXL_ROM_MAGIC,
} from "../protocol/index.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { SLOTS_END, SLOTS_START } from "./memory-slots.ts";
import type { QxlMode } from "./modes.ts";
import { millimetres } from "./modes.ts";

/** Bytes of QXLRom.client_capabilities. */
export const CLIENT_CAPABILITIES_BYTES = 58;

/** Pages of device memory are counted in these. */
const PAGE_BYTES = 4096;

/** A monitor as a client wants it; pixels on the primary surface. */
export interface QxlClientHead {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface RomContent {
  readonly id: number;
  readonly vgamemSize: number;
  readonly ramHeaderOffset: number;
  readonly nSurfaces: number;
  readonly modes: readonly QxlMode[];
}

const { offset: rom } = QXLRom;

/** QXLRom in BAR2: what the device tells the driver. The guest can write it (it is memory), so nothing is ever read from it. */
export class QxlRomMemory {
  readonly #memory: DeviceMemory;
  readonly #content: RomContent;

  constructor(memory: DeviceMemory, content: RomContent) {
    this.#memory = memory;
    this.#content = content;
  }

  /** As at a device reset; capabilities are to be written afterwards. */
  initialise(): void {
    const { id, vgamemSize, ramHeaderOffset, nSurfaces, modes } = this.#content;
    this.#memory.rom().fill(0);
    const view = this.#memory.romView();
    const u32 = (at: number, value: number) => view.setUint32(at, value, true);
    u32(rom.magic, QXL_ROM_MAGIC);
    u32(rom.id, id);
    u32(rom.modesOffset, QXLRom.size);
    u32(rom.numPages, Math.trunc((ramHeaderOffset - vgamemSize) / PAGE_BYTES));
    u32(rom.pagesOffset, vgamemSize);
    u32(rom.surface0AreaSize, vgamemSize);
    u32(rom.ramHeaderOffset, ramHeaderOffset);
    u32(rom.nSurfaces, nSurfaces);
    view.setUint8(rom.slotsStart, SLOTS_START);
    view.setUint8(rom.slotsEnd, SLOTS_END);
    view.setUint8(rom.slotGenBits, 8);
    view.setUint8(rom.slotIdBits, 8);
    u32(QXLRom.size, modes.length);
    for (const [i, mode] of modes.entries()) this.#writeMode(view, i, mode);
  }

  #writeMode(view: DataView, id: number, mode: QxlMode): void {
    const at = QXLRom.size + QXLModes.size + id * QXLMode.size;
    const { width, height, bits, stride, orientation } = mode;
    const fields = [id, width, height, bits, stride, millimetres(width), millimetres(height), orientation];
    for (const [i, value] of fields.entries()) view.setUint32(at + 4 * i, value, true);
  }

  /** Milliseconds, for the drawables' mm_time. */
  set clock(milliseconds: number) {
    this.#memory.romView().setUint32(rom.mmClock, milliseconds, true);
  }

  /** Whether a display client is there, and what all of them can do. */
  writeCapabilities(present: boolean, capabilities: Uint8Array): void {
    const bytes = this.#memory.rom();
    bytes[rom.clientPresent] = present ? 1 : 0;
    bytes.fill(0, rom.clientCapabilities, rom.clientCapabilities + CLIENT_CAPABILITIES_BYTES);
    bytes.set(capabilities.subarray(0, CLIENT_CAPABILITIES_BYTES), rom.clientCapabilities);
  }

  /** The heads that a client wants, with the checksum over them. */
  writeMonitorsConfig(heads: readonly QxlClientHead[]): void {
    const view = this.#memory.romView();
    const at = rom.clientMonitorsConfig;
    const used = heads.slice(0, QXL_CLIENT_MONITORS_MAX);
    const bytes = this.#memory.rom().subarray(at, at + QXLClientMonitorsConfig.size);
    bytes.fill(0);
    view.setUint16(at + QXLClientMonitorsConfig.offset.count, used.length, true);
    for (const [i, { x, y, width, height }] of used.entries()) {
      const rect = at + QXLClientMonitorsConfig.offset.heads + i * QXLURect.size;
      view.setUint32(rect + QXLURect.offset.top, y, true);
      view.setUint32(rect + QXLURect.offset.left, x, true);
      view.setUint32(rect + QXLURect.offset.bottom, y + height, true);
      view.setUint32(rect + QXLURect.offset.right, x + width, true);
    }
    view.setUint32(rom.clientMonitorsConfigCrc, monitorsConfigCrc(bytes), true);
  }
}

/** CRC-32, reflected 0xEDB88320, beginning with 0 and without the final inversion: Linux's `crc32(0, …)`. */
export function monitorsConfigCrc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return crc >>> 0;
}

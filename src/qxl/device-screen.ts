import { QXLSurfaceCreate } from "../protocol/index.ts";
import type { RedMonitorsConfig } from "../protocol/red-command.ts";
import { SurfaceFmt } from "../raster/index.ts";
import type { QxlBus, QxlSink } from "./bus.ts";
import type { CommandProcessor } from "./command-processor.ts";
import { BANK_RAM } from "./device-memory.ts";
import { QxlGuestError } from "./errors.ts";
import type { MemorySlots } from "./memory-slots.ts";
import type { QxlMode as QxlModeEntry } from "./modes.ts";
import { parseMonitorsConfig } from "./monitors-config.ts";
import type { RamHeader } from "./ram-header.ts";
import type { QxlMode } from "./state.ts";
import { StructReader } from "./struct-reader.ts";
import { parsePrimary } from "./surface-parser.ts";

export interface DeviceScreenOptions {
  readonly bus: QxlBus;
  readonly sink: QxlSink;
  readonly ram: RamHeader;
  readonly slots: MemorySlots;
  readonly processor: CommandProcessor;
  /** What SET_MODE chooses from. */
  readonly modes: readonly QxlModeEntry[];
  readonly vgamemSize: number;
  readonly hasVga: boolean;
  readonly maxHeads: number;
  readonly onModeChange?: (mode: QxlMode) => void;
}

/** QEMU's mode of the device (VGA, native, compat, none), and what of the screen lives and dies with it: primary, cursor, monitors. */
export class DeviceScreen {
  readonly #options: DeviceScreenOptions;
  #mode: QxlMode;
  #monitors: RedMonitorsConfig | undefined;

  constructor(options: DeviceScreenOptions) {
    this.#options = options;
    this.#mode = options.hasVga ? "vga" : "undefined";
  }

  get mode(): QxlMode {
    return this.#mode;
  }

  get monitors(): RedMonitorsConfig | undefined {
    return this.#monitors;
  }

  /** Whether the driver has made a primary surface. */
  get hasPrimary(): boolean {
    return this.#mode === "native" || this.#mode === "compat";
  }

  /** CREATE_PRIMARY. @throws QxlGuestError */
  createPrimary(value: number): void {
    const { slots, ram, processor, vgamemSize } = this.#options;
    if (value !== 0 || this.hasPrimary) {
      throw new QxlGuestError("CREATE_PRIMARY", `value ${value} in ${this.#mode} mode`);
    }
    const qxl = new StructReader(ram.copyCreateSurface(QXLSurfaceCreate.size));
    const { surface, keepData } = parsePrimary(slots, qxl, vgamemSize);
    this.#exitVga();
    processor.createSurface(surface, keepData);
    processor.compat = false;
    processor.compat16 = false;
    this.#monitors = undefined;
    this.#setMode("native");
  }

  /**
   * SET_MODE, COMPAT mode of old drivers: the primary is the draw area, bottom row first, addresses are guest-physical.
   * @throws QxlGuestError
   */
  setCompatMode(index: number): void {
    const { modes, slots, processor } = this.#options;
    const entry = modes[index];
    if (entry === undefined) {
      throw new QxlGuestError("SET_MODE", `mode ${index}, there are ${modes.length} modes`);
    }
    const { width, height, bits, stride } = entry;
    this.destroyPrimary();
    this.#exitVga();
    slots.addCompat();
    const format = bits === 16 ? SurfaceFmt.Rgb555 : SurfaceFmt.Xrgb32;
    const offset = (height - 1) * stride;
    processor.createSurface(
      { id: 0, format, width, height, stride: -stride, bank: BANK_RAM, offset, mouseMode: 1 },
      true,
    );
    processor.compat = true;
    processor.compat16 = bits === 16;
    this.#monitors = undefined;
    this.#setMode("compat");
  }

  destroyPrimary(): void {
    if (!this.hasPrimary) return;
    this.#options.processor.destroySurface(0);
    this.#forget();
  }

  destroyAllSurfaces(): void {
    const { processor } = this.#options;
    for (const { id } of processor.surfaces.all()) processor.destroySurface(id);
    if (this.hasPrimary) this.#forget();
  }

  /** MONITORS_CONFIG. @throws QxlGuestError; then the monitors stay as they are */
  setMonitors(): void {
    const { slots, ram, sink, maxHeads } = this.#options;
    const { heads, maxAllowed, ...config } = parseMonitorsConfig(slots, ram.monitorsConfig);
    // As spice-server's max_monitors: what is beyond it is not there.
    const monitors = {
      ...config,
      maxAllowed: Math.min(maxAllowed, maxHeads),
      heads: heads.slice(0, maxHeads),
    };
    this.#monitors = monitors;
    sink.push(monitors);
  }

  /** After a hard reset: the VGA device is in VGA mode, any other in none. */
  reset(): void {
    if (this.#options.hasVga) return this.enterVga();
    this.#monitors = undefined;
    this.#setMode("undefined");
  }

  enterVga(): void {
    this.#monitors = undefined;
    this.#setMode("vga");
    this.#options.bus.enterVga();
  }

  /** Takes over what a saved state says; {@link announce} tells the others. */
  restore(mode: QxlMode, monitors: RedMonitorsConfig | undefined): void {
    this.#mode = mode === "vga" && !this.#options.hasVga ? "undefined" : mode;
    this.#monitors = monitors;
  }

  /** After a restore nobody else knows the mode. */
  announce(): void {
    const { bus, onModeChange } = this.#options;
    if (this.#mode === "vga") bus.enterVga();
    else bus.leaveVga();
    onModeChange?.(this.#mode);
  }

  /** With the primary go cursor and monitors, as in spice-server. */
  #forget(): void {
    const { processor, sink } = this.#options;
    processor.cursor.reset();
    sink.push({ type: "cursorReset" });
    this.#monitors = undefined;
    this.#setMode("undefined");
  }

  #exitVga(): void {
    if (this.#mode !== "vga") return;
    this.#options.bus.leaveVga();
    this.#setMode("undefined");
  }

  #setMode(mode: QxlMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#options.onModeChange?.(mode);
  }
}

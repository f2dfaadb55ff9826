import { QxlInterrupt } from "../protocol/index.ts";
import type { InterruptLine } from "./interrupts.ts";
import type { RamHeader } from "./ram-header.ts";
import type { QxlClientHead, QxlRomMemory } from "./rom.ts";
import { CLIENT_CAPABILITIES_BYTES } from "./rom.ts";

/** PCI revision from which drivers read of clients in the ROM. */
const CLIENTS_REVISION = 4;

export interface ClientNoticesOptions {
  readonly rom: QxlRomMemory;
  readonly ram: RamHeader;
  readonly interrupts: InterruptLine;
  readonly revision: number;
  readonly maxHeads: number;
}

/** What the driver is told of the display clients: through the ROM, with an interrupt. */
export class ClientNotices {
  readonly #options: ClientNoticesOptions;
  #present = false;
  #capabilities: Uint8Array = new Uint8Array(CLIENT_CAPABILITIES_BYTES);

  constructor(options: ClientNoticesOptions) {
    this.#options = options;
  }

  /** Whether there are any, and what all of them can do (58 bytes of capability bits). */
  setCapabilities(present: boolean, capabilities: Uint8Array): void {
    this.#present = present;
    this.#capabilities = capabilities.slice(0, CLIENT_CAPABILITIES_BYTES);
    if (!this.#areRead) return;
    this.rewrite();
    this.#options.interrupts.raise(QxlInterrupt.Client);
  }

  /** The ROM was initialised or restored: it is to say of the clients what is true now. */
  rewrite(): void {
    this.#options.rom.writeCapabilities(this.#present, this.#capabilities);
  }

  /**
   * Offers the monitors that a client wants; without heads only asks.
   * @returns false if no driver listens: then they are the guest agent's business
   */
  offerMonitors(heads: readonly QxlClientHead[]): boolean {
    const { ram, rom, interrupts, maxHeads } = this.#options;
    if (!this.#areRead) return false;
    const { mask } = ram;
    // 0 and all ones are what old Windows drivers write, whatever they handle.
    if (mask === 0 || mask === 0xffff_ffff || !(mask & QxlInterrupt.ClientMonitorsConfig)) return false;
    if (heads.length === 0) return true;
    rom.writeMonitorsConfig(heads.slice(0, maxHeads));
    interrupts.raise(QxlInterrupt.ClientMonitorsConfig);
    return true;
  }

  get #areRead(): boolean {
    return this.#options.revision >= CLIENTS_REVISION;
  }
}

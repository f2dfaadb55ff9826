import type { QxlBus } from "./bus.ts";

/** The two memories a guest can put things into: BAR0 and BAR1. */
export type Bank = 0 | 1;
export const BANK_RAM: Bank = 0;
export const BANK_VRAM: Bank = 1;

/** A place in device memory that outlives the views of it. */
export interface DeviceAddress {
  readonly bank: Bank;
  /** Bytes from the start of the bank. */
  readonly offset: number;
}

/** Views of device memory, made anew when the memory behind them is another one. */
export class DeviceMemory {
  readonly #bus: QxlBus;
  #banks: [Uint8Array, Uint8Array];
  #views: [DataView, DataView];

  constructor(bus: QxlBus) {
    this.#bus = bus;
    this.#banks = [bus.ram(), bus.vram()];
    this.#views = [viewOf(this.#banks[0]), viewOf(this.#banks[1])];
  }

  /** At every entry from outside. */
  refresh(): void {
    const ram = this.#bus.ram();
    const vram = this.#bus.vram();
    if (ram === this.#banks[0] && vram === this.#banks[1]) return;
    this.#banks = [ram, vram];
    this.#views = [viewOf(ram), viewOf(vram)];
  }

  bytes(bank: Bank): Uint8Array {
    return this.#banks[bank];
  }

  view(bank: Bank): DataView {
    return this.#views[bank];
  }

  rom(): Uint8Array {
    return this.#bus.rom();
  }

  romView(): DataView {
    return viewOf(this.#bus.rom());
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

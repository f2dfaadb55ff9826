import type { QxlBus } from "./bus.ts";
import type { RamHeader } from "./ram-header.ts";

/** INTx of the device: a level, high while a bit is both pending and in the mask. Both live in memory that the guest writes. */
export class InterruptLine {
  readonly #bus: QxlBus;
  readonly #ram: RamHeader;
  #level = false;
  #raised = 0;

  constructor(bus: QxlBus, ram: RamHeader) {
    this.#bus = bus;
    this.#ram = ram;
  }

  /** How often an interrupt bit was newly set. */
  get raised(): number {
    return this.#raised;
  }

  /** Sets bits of int_pending (QxlInterrupt). */
  raise(bits: number): void {
    const { pending } = this.#ram;
    if ((pending & bits) === bits) return;
    this.#ram.pending = (pending | bits) >>> 0;
    this.#raised++;
    this.update();
  }

  /** The guest changed pending or mask (UPDATE_IRQ), or the header is new. */
  update(): void {
    this.#set((this.#ram.pending & this.#ram.mask) !== 0);
  }

  /** After a restore the other end does not know the level: says it whatever it was. */
  announce(): void {
    this.#level = (this.#ram.pending & this.#ram.mask) !== 0;
    if (this.#level) this.#bus.raiseIrq();
    else this.#bus.lowerIrq();
  }

  #set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    if (level) this.#bus.raiseIrq();
    else this.#bus.lowerIrq();
  }
}

import type { QxlBar } from "./bus.ts";
import type { Bank, DeviceAddress, DeviceMemory } from "./device-memory.ts";
import { BANK_RAM, BANK_VRAM } from "./device-memory.ts";
import { QxlGuestError } from "./errors.ts";
import { StructReader } from "./struct-reader.ts";

/** ROM slots_start and slots_end: slots a guest may add are 1 to 7, and SET_MODE uses 0. */
export const SLOTS_START = 1;
export const SLOTS_END = 7;
export const NUM_SLOTS = 8;

/** A memory slot: a window of a bank that guest addresses are resolved in. */
export interface MemorySlot {
  readonly bank: Bank;
  /** Bytes from the start of the bank. */
  readonly start: number;
  readonly size: number;
  /** What the lowest address in the slot is: 0, or for SET_MODE's slot the guest-physical address of `start`. */
  readonly addressBase: number;
}

const OFFSET_BITS = 48n;
const OFFSET_MASK = (1n << OFFSET_BITS) - 1n;

/** The guest's memory slots. A QXLPHYSICAL is slot id (bits 63..56), generation (55..48, always 0), offset in the slot. */
export class MemorySlots {
  readonly #memory: DeviceMemory;
  readonly #bars: readonly [QxlBar, QxlBar];
  readonly #slots: (MemorySlot | undefined)[] = Array.from({ length: NUM_SLOTS });

  constructor(memory: DeviceMemory, ram: QxlBar, vram: QxlBar) {
    this.#memory = memory;
    this.#bars = [ram, vram];
  }

  reset(): void {
    this.#slots.fill(undefined);
  }

  /**
   * Adds guest-physical [start, end) as slot `id`.
   * @returns what is wrong with it, undefined if nothing
   */
  add(id: number, start: bigint, end: bigint): string | undefined {
    if (id < SLOTS_START || id >= NUM_SLOTS)
      return `slot id ${id} is not in ${SLOTS_START}..${NUM_SLOTS - 1}`;
    if (start >= end) return `slot ${id} is empty`;
    for (const bank of [BANK_RAM, BANK_VRAM]) {
      const { base, size } = this.#bars[bank];
      if (start >= BigInt(base) && end <= BigInt(base + size)) {
        this.#slots[id] = { bank, start: Number(start) - base, size: Number(end - start), addressBase: 0 };
        return undefined;
      }
    }
    return `slot ${id} lies in no BAR`;
  }

  /** SET_MODE: slot 0 is all of BAR0, and addresses are guest-physical. */
  addCompat(): void {
    const { base, size } = this.#bars[BANK_RAM];
    this.#slots[0] = { bank: BANK_RAM, start: 0, size, addressBase: base };
  }

  delete(id: number): void {
    if (id < this.#slots.length) this.#slots[id] = undefined;
  }

  /**
   * The place of `size` bytes at a guest address.
   * @throws QxlGuestError when any of them lies outside the slot
   */
  resolve(address: bigint, size: number, field: string): DeviceAddress {
    const id = Number(address >> 56n);
    const slot = this.#slots[id];
    if (slot === undefined) throw new QxlGuestError(field, `address in slot ${id}, which does not exist`);
    if (Number((address >> OFFSET_BITS) & 0xffn) !== 0) {
      throw new QxlGuestError(field, "address of another slot generation");
    }
    const offset = Number(address & OFFSET_MASK) - slot.addressBase;
    if (offset < 0 || offset + size > slot.size) {
      throw new QxlGuestError(
        field,
        `${size} bytes at ${offset} of slot ${id} lie beyond its ${slot.size} bytes`,
      );
    }
    return { bank: slot.bank, offset: slot.start + offset };
  }

  /** Structures copied so far, chunk headers among them: what parsing costs beside its bytes. */
  copies = 0;

  /** A snapshot of a structure: validated afterwards, and never read from the guest again. */
  copy(address: bigint, size: number, field: string): StructReader {
    this.copies++;
    const { bank, offset } = this.resolve(address, size, field);
    return new StructReader(this.#memory.bytes(bank).slice(offset, offset + size));
  }

  /** Copies bytes out of the guest. */
  copyTo(target: Uint8Array, targetOffset: number, address: bigint, size: number, field: string): void {
    const { bank, offset } = this.resolve(address, size, field);
    target.set(this.#memory.bytes(bank).subarray(offset, offset + size), targetOffset);
  }

  /** For saving; slots by id, null where there is none. */
  save(): (MemorySlot | null)[] {
    return this.#slots.map((slot) => slot ?? null);
  }

  /** @returns false if a slot does not fit the BARs */
  restore(slots: readonly (MemorySlot | null)[]): boolean {
    this.reset();
    if (slots.length !== NUM_SLOTS) return false;
    for (const [id, slot] of slots.entries()) {
      if (slot === null) continue;
      const { bank, start, size, addressBase } = slot;
      const bar = this.#bars[bank];
      if (bar === undefined || !isCount(start) || !isCount(size) || !isCount(addressBase)) return false;
      if (start + size > bar.size) return false;
      this.#slots[id] = { bank, start, size, addressBase };
    }
    return true;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

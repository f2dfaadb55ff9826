import type { DeviceAddress, DeviceMemory } from "./device-memory.ts";
import type { ReleaseRing } from "./ram-header.ts";

/** Releases that make a list worth an item of the ring (QEMU's QXL_FREE_BUNCH_SIZE). */
export const RELEASE_BUNCH_SIZE = 32;

/** A command of the guest that has to be given back: where its QXLReleaseInfo is, and the id that the guest wrote there. */
export interface GuestResource {
  readonly info: DeviceAddress;
  readonly id: bigint;
}

/**
 * Gives commands back to the guest, each once. The current item of the release ring is the head of a list that is linked through
 * the commands' own release_info.next, oldest first; it is handed over when the list is long enough or the guest asks.
 */
export class ReleaseList {
  readonly #memory: DeviceMemory;
  readonly #ring: ReleaseRing;
  readonly #notify: () => void;
  #last: DeviceAddress | undefined;
  #count = 0;
  #total = 0;

  /** @param notify raises the interrupt that tells the guest of a handed-over list */
  constructor(memory: DeviceMemory, ring: ReleaseRing, notify: () => void) {
    this.#memory = memory;
    this.#ring = ring;
    this.#notify = notify;
  }

  /** Commands released and not yet handed over. */
  get pending(): number {
    return this.#count;
  }

  /** Commands released since the device was made. */
  get total(): number {
    return this.#total;
  }

  /** As at a device reset: what was collected is forgotten, for the guest has forgotten it as well. */
  reset(): void {
    this.#last = undefined;
    this.#count = 0;
  }

  release({ info, id }: GuestResource): void {
    // An id 0 ends a list: such a command cannot be named.
    if (id === 0n) return;
    this.#write(info, 0n);
    if (this.#last === undefined) this.#ring.head = id;
    else this.#write(this.#last, id);
    this.#last = info;
    this.#count++;
    this.#total++;
    if (this.#count >= RELEASE_BUNCH_SIZE) this.push();
  }

  /** Hands over what is collected, if anything is and the ring has room. */
  push(): void {
    if (this.#count === 0 || this.#ring.isFull) return;
    const notify = this.#ring.push();
    this.#last = undefined;
    this.#count = 0;
    if (notify) this.#notify();
  }

  save(): { readonly last: DeviceAddress | null; readonly count: number } {
    return { last: this.#last ?? null, count: this.#count };
  }

  restore(last: DeviceAddress | undefined, count: number): void {
    this.#last = last;
    this.#count = count;
  }

  #write({ bank, offset }: DeviceAddress, value: bigint): void {
    this.#memory.view(bank).setBigUint64(offset, value, true);
  }
}

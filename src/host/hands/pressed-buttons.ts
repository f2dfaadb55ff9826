/** MouseEvent.buttons (1 left, 2 right, 4 middle, 32 eraser) as SpiceMouseButtonMask (1 left, 2 middle, 4 right). The eraser's tip is a tip. */
export function spiceButtons(buttons: number): number {
  const eraser = (buttons & 32) >> 5;
  return (buttons & 1) | eraser | ((buttons & 4) >> 1) | ((buttons & 2) << 1);
}

/** The one owner of the buttons that are down in the guest, by the pointer (mouse, pen, finger) that holds them. */
export class PressedButtons {
  readonly #held = new Map<number, number>();

  /** A SpiceMouseButtonMask. */
  get mask(): number {
    return [...this.#held.values()].reduce((mask, one) => mask | one, 0);
  }

  /** Whether a press of this pointer began here and has not ended. */
  has(pointer: number): boolean {
    return this.#held.has(pointer);
  }

  /** What this pointer holds from now on; 0 ends its press. */
  set(pointer: number, mask: number): void {
    if (mask === 0) this.#held.delete(pointer);
    else this.#held.set(pointer, mask);
  }

  clear(): void {
    this.#held.clear();
  }
}

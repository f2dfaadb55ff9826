/**
 * The receiver's side of SET_ACK, ACK_SYNC and ACK: every window of messages it owes one ACK. Acknowledgements can be held back, so that
 * the server waits for whoever is slow to draw; none is forgotten.
 */
export class ReceiveWindow {
  /** Whether what is owed is told by {@link received}, or waits for {@link release}. */
  held: boolean;
  #window = 0;
  #left = 0;
  #owed = 0;

  constructor(held = false) {
    this.held = held;
  }

  /** SET_ACK: counts anew. A window of 0 is none. */
  open(window: number): void {
    this.#window = this.#left = window;
    this.#owed = 0;
  }

  /** A message has come. @returns whether an ACK is to be sent for it now */
  received(): boolean {
    if (this.#window === 0 || --this.#left > 0) return false;
    this.#left = this.#window;
    if (!this.held) return true;
    this.#owed++;
    return false;
  }

  /** Holds nothing back any more. @returns how many ACKs are to be sent now */
  release(): number {
    const owed = this.#owed;
    this.#owed = 0;
    this.held = false;
    return owed;
  }
}

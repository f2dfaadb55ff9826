/** What one source has for one of the guest's devices, in order. */
export interface InputQueue<Piece> {
  /** Whether {@link take} would give something. */
  readonly ready: boolean;
  /** The next piece, small enough that others need not wait long behind it. */
  take(): Piece;
}

/** A queue and whom to tell how it goes on. */
export interface InputSource<Piece> {
  readonly queue: InputQueue<Piece>;
  /** A piece of this source was taken by the guest, which had to drop that many presses of it. */
  taken(dropped: number): void;
}

/**
 * The way to one of the guest's devices: one piece at a time, each when the guest has room again, and the sources in turn. So what
 * waits is held back at its source, and nobody's input waits behind more than one piece of each other's.
 */
export class InputLane<Piece> {
  readonly #deliver: (piece: Piece) => Promise<number>;
  /** Those with something to deliver, in the order of their turns. */
  readonly #waiting = new Set<InputSource<Piece>>();
  #busy = false;
  /** The guest took nothing and never will. */
  onFailure: ((error: unknown) => void) | undefined;

  /** @param deliver resolves when the guest has room again, with how many presses it dropped. */
  constructor(deliver: (piece: Piece) => Promise<number>) {
    this.#deliver = deliver;
  }

  /** `source` has something. */
  ask(source: InputSource<Piece>): void {
    if (!source.queue.ready) return;
    this.#waiting.add(source);
    if (!this.#busy) void this.#run();
  }

  forget(source: InputSource<Piece>): void {
    this.#waiting.delete(source);
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      for (;;) {
        const [source] = this.#waiting;
        if (source === undefined) return;
        this.#waiting.delete(source);
        if (!source.queue.ready) continue;
        const piece = source.queue.take();
        // Its next piece comes behind those of all others.
        if (source.queue.ready) this.#waiting.add(source);
        const dropped = await this.#deliver(piece);
        source.taken(dropped);
      }
    } catch (error) {
      this.#waiting.clear();
      this.onFailure?.(error);
    } finally {
      this.#busy = false;
    }
  }
}

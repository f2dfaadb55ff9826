import { CodedError } from "../errors/index.ts";

/** A deadline for work whose length nobody knows: it is given up when it no longer gets on. */

/** The work stood still for too long. */
export class StalledError extends CodedError {
  override readonly name = "StalledError";
  readonly code = "STALLED";

  constructor(what: string, stallMs: number) {
    super(`${what} made no progress for ${stallMs / 1000} s`);
  }
}

/** Guards one kind of work, of which pieces may overlap: what gets on for one gets on for all. */
export class ProgressDeadline {
  readonly #stallMs: number;
  readonly #what: string;
  readonly #guarded = new Set<() => void>();

  constructor(stallMs: number, what: string) {
    this.#stallMs = stallMs;
    this.#what = what;
  }

  /** It gets on. */
  progress(): void {
    for (const restart of this.#guarded) restart();
  }

  /** As `work`, but rejects when there was no progress for too long. @throws StalledError */
  async guard<T>(work: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let restart = () => {};
    const stalled = new Promise<never>((_, reject) => {
      restart = () => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new StalledError(this.#what, this.#stallMs)), this.#stallMs);
      };
    });
    restart();
    this.#guarded.add(restart);
    try {
      return await Promise.race([work, stalled]);
    } finally {
      clearTimeout(timer);
      this.#guarded.delete(restart);
    }
  }
}

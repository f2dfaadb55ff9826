/** What came of a question. */
export type Reply<T> = { readonly part: T } | { readonly silentSince: number };

/**
 * One question to one thread, asked again and again. Whoever asks hears soon, also of a thread that hangs; and such a thread gets one
 * question, however often it is asked.
 */
export class ThreadQuestion<T> {
  readonly #ask: () => Promise<T>;
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;
  #underWay: Promise<T | undefined> | undefined;
  #silentSince: number | undefined;

  /**
   * @param ask fails when the thread is gone, or has not answered for very long
   * @param now milliseconds since 1970
   */
  constructor(
    ask: () => Promise<T>,
    now: () => number = Date.now,
    pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.#ask = ask;
    this.#now = now;
    this.#pause = pause;
  }

  /** Never rejects: a thread that fails is silent. */
  async within(deadlineMs: number): Promise<Reply<T>> {
    this.#silentSince ??= this.#now();
    this.#underWay ??= this.#put();
    const part = await Promise.race([this.#underWay, this.#pause(deadlineMs).then(() => undefined)]);
    return part === undefined ? { silentSince: this.#silentSince ?? this.#now() } : { part };
  }

  async #put(): Promise<T | undefined> {
    try {
      const part = await this.#ask();
      this.#silentSince = undefined;
      return part;
    } catch {
      return undefined;
    } finally {
      this.#underWay = undefined;
    }
  }
}

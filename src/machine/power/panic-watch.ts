/** Reads the serial console for Linux's last words: the reason of a panic, and panics that came before there was a driver to tell. */
import { PANIC_CHECK_MS, PANIC_CHECKS } from "../limits.ts";

const REASON = /^\[ *\d+\.\d+\] Kernel panic - not syncing: (.*)/;
const LAST_LINE = /^\[ *\d+\.\d+\] ---\[ end Kernel panic - not syncing: (.*) \]---/;

/**
 * A text alone is no panic: somebody may show an old log. After the kernel's last line nothing more may be said, and the CPU may not
 * halt, which a kernel that lives does as soon as it has nothing to do. Owner disposes.
 */
export class PanicWatch implements Disposable {
  readonly #isHalted: () => boolean;
  readonly #panicked: (reason: string) => void;
  #reason: string | undefined;
  #checks = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: { isHalted: () => boolean; panicked: (reason: string) => void }) {
    this.#isHalted = options.isHalted;
    this.#panicked = options.panicked;
  }

  /** Why the kernel said that it panicked, if it did. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** A whole line of the serial console. */
  line(text: string): void {
    this.#stop();
    const said = REASON.exec(text);
    if (said) this.#reason = said[1].trim();
    const last = LAST_LINE.exec(text);
    if (!last) return;
    this.#checks = 0;
    this.#timer = setInterval(() => this.#check(last[1]), PANIC_CHECK_MS);
  }

  /** The machine begins again. */
  reset(): void {
    this.#stop();
    this.#reason = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #check(reason: string): void {
    if (this.#isHalted()) {
      this.#stop();
      return;
    }
    if (++this.#checks < PANIC_CHECKS) return;
    this.#stop();
    this.#panicked(reason);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

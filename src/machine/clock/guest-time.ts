/**
 * Tells the guest what time it is, by the port and the words of QEMU's guest agent (`guest-set-time`). Our guests have a small program
 * that understands this one command; a guest with the real agent understands it as well. For all others the RTC is right.
 */
import { GUEST_TIME_LATE_MS, GUEST_TIME_TRIES } from "../limits.ts";
import type { SerialPort } from "../devices/virtio-port.ts";

const SECOND_MS = 1000;

export interface GuestTimeOptions {
  readonly port: Pick<SerialPort, "open" | "write">;
  /** What is sent to a machine that stands still would be read too late. */
  readonly isRunning: () => boolean;
  /** Milliseconds since 1970. */
  readonly wallNow?: () => number;
}

/** Owner disposes. */
export class GuestTime implements Disposable {
  readonly #options: GuestTimeOptions;
  readonly #wallNow: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #triesLeft = 0;

  constructor(options: GuestTimeOptions) {
    this.#options = options;
    this.#wallNow = options.wallNow ?? (() => Date.now());
  }

  /**
   * Sends the time as the host's next second begins: `date` in a guest may know whole seconds only. Nothing is sent while nobody in the
   * guest listens, or it stands still; the owner calls again when that changes.
   */
  tell(): void {
    this.#triesLeft = GUEST_TIME_TRIES;
    if (this.#timer === undefined) this.#plan();
  }

  #plan(): void {
    const waitMs = SECOND_MS - (this.#wallNow() % SECOND_MS);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const { port, isRunning } = this.#options;
      if (!port.open || !isRunning()) return;
      const isExact = this.#wallNow() % SECOND_MS <= GUEST_TIME_LATE_MS;
      if (isExact || --this.#triesLeft <= 0) this.#send();
      else this.#plan();
    }, waitMs);
  }

  #send(): void {
    const nanoseconds = BigInt(Math.round(this.#wallNow())) * 1_000_000n;
    const command = `{"execute":"guest-set-time","arguments":{"time":${nanoseconds}}}\n`;
    // A port that closes meanwhile has nobody who would set a clock.
    this.#options.port.write(new TextEncoder().encode(command)).catch(() => {});
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

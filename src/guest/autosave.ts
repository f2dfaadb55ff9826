/** When to save by itself: once after a fresh boot has settled, and when the page asks, but not twice in a row. */
import {
  AUTOSAVE_IDLE_SAMPLES,
  AUTOSAVE_MIN_INTERVAL_S,
  AUTOSAVE_PATIENCE_S,
  AUTOSAVE_SAMPLE_MS,
  AUTOSAVE_SETTLE_S,
} from "./limits.ts";

/** Decides; the owner saves. Owner disposes. */
export class AutosavePolicy implements Disposable {
  readonly #save: () => void;
  readonly #isIdle: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ready = false;
  #savedAt = -Infinity;

  /** `isIdle` tells whether the guest's CPU is halted right now. */
  constructor(options: { save: () => void; isIdle: () => boolean }) {
    this.#save = options.save;
    this.#isIdle = options.isIdle;
  }

  /** A boot marker of a fresh boot. From `ready` on every marker starts the settling time again. */
  marker(name: string): void {
    if (name === "ready") this.#ready = true;
    if (!this.#ready) return;
    this.#after(AUTOSAVE_SETTLE_S * 1000, () => this.#awaitIdle(0, AUTOSAVE_PATIENCE_S * 1000));
  }

  /** A save succeeded at `now` (ms); what was planned is done with. */
  saved(now: number): void {
    this.#savedAt = now;
    this.#stop();
  }

  /** Whether a save asked for at `now` (ms) may be skipped. */
  isRecent(now: number): boolean {
    return now - this.#savedAt < AUTOSAVE_MIN_INTERVAL_S * 1000;
  }

  /** The machine rebooted: what is planned no longer fits. */
  restart(): void {
    this.#ready = false;
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  /** On a slow host programs are still starting long after `ready`: wait until the CPU has nothing to do for a while. */
  #awaitIdle(samples: number, patience: number): void {
    if (samples >= AUTOSAVE_IDLE_SAMPLES || patience <= 0) {
      this.#save();
      return;
    }
    const next = this.#isIdle() ? samples + 1 : 0;
    this.#after(AUTOSAVE_SAMPLE_MS, () => this.#awaitIdle(next, patience - AUTOSAVE_SAMPLE_MS));
  }

  #after(milliseconds: number, work: () => void): void {
    this.#stop();
    this.#timer = setTimeout(work, milliseconds);
  }

  #stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** When to save by itself: once after a fresh boot has settled, and when the page asks, but not twice in a row. */
import { AUTOSAVE_MIN_INTERVAL_S, AUTOSAVE_SETTLE_S } from "./limits.ts";

/** Decides; the owner saves. Owner disposes. */
export class AutosavePolicy implements Disposable {
  readonly #save: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ready = false;
  #savedAt = -Infinity;

  constructor(save: () => void) {
    this.#save = save;
  }

  /** A boot marker of a fresh boot. From `ready` on every marker starts the settling time again. */
  marker(name: string): void {
    if (name === "ready") this.#ready = true;
    if (!this.#ready) return;
    this.#stop();
    this.#timer = setTimeout(() => this.#save(), AUTOSAVE_SETTLE_S * 1000);
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

  #stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

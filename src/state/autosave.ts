/**
 * When to save by itself: once after a fresh boot has settled, now and then while somebody uses the machine, and when the page asks, but
 * not what is saved already.
 */
import {
  AUTOSAVE_IDLE_SAMPLES,
  AUTOSAVE_MIN_INTERVAL_S,
  AUTOSAVE_PATIENCE_S,
  AUTOSAVE_SAMPLE_MS,
  AUTOSAVE_SETTLE_S,
  AUTOSAVE_USED_S,
} from "./limits.ts";

/** Decides; the owner saves. Owner disposes. */
export class AutosavePolicy implements Disposable {
  readonly #save: () => void;
  readonly #isIdle: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onUnsaved: (unsaved: boolean) => void;
  readonly #now: () => number;
  #ready = false;
  #savedAt = -Infinity;
  /** Somebody has used the machine since a save took its moment. */
  #used = false;
  #forgotten = false;
  /** What was last told: whether there is something that is not stored. */
  #told = false;

  /** `isIdle` tells whether the guest's CPU is halted right now; `onUnsaved` hears whether there is something to lose. */
  constructor(options: {
    save: () => void;
    isIdle: () => boolean;
    onUnsaved?: (unsaved: boolean) => void;
    now?: () => number;
  }) {
    this.#save = options.save;
    this.#isIdle = options.isIdle;
    this.#onUnsaved = options.onUnsaved ?? (() => {});
    this.#now = options.now ?? Date.now;
  }

  /** The machine came out of a saved state: there is no boot to wait for. */
  restored(): void {
    this.#ready = true;
    this.#savedAt = this.#now();
  }

  /** A key, the pointer, data for the agent: somebody did something that they would not like to lose. */
  used(): void {
    if (this.#used || !this.#ready) return;
    this.#used = true;
    this.#tell(true);
    this.#forgotten = false;
    this.#planNext();
  }

  /** Whether something was done that no save has taken yet. */
  get hasUnsaved(): boolean {
    return this.#used;
  }

  /** A save has taken its moment of the machine; what is done from now on is not in it. It is not safe before {@link saved}. */
  captured(): void {
    this.#used = false;
  }

  /** That moment could not be stored: it will be tried again. */
  failed(): void {
    if (!this.#ready) return;
    this.#used = true;
    this.#tell(true);
    this.#after(AUTOSAVE_USED_S * 1000, () => this.#whenIdle());
  }

  /** The kept state was dropped on purpose: nothing is kept again before the machine is used. */
  forgotten(): void {
    this.#used = false;
    this.#tell(false);
    this.#stop();
    this.#forgotten = true;
  }

  /** A boot marker of a fresh boot. From `ready` on every marker starts the settling time again. */
  marker(name: string): void {
    if (name === "ready") this.#ready = true;
    if (!this.#ready) return;
    this.#after(AUTOSAVE_SETTLE_S * 1000, () => this.#whenIdle());
  }

  /** A save succeeded; what was planned is done with. */
  saved(): void {
    this.#savedAt = this.#now();
    this.#forgotten = false;
    this.#stop();
    if (this.#used) this.#planNext();
    else this.#tell(false);
  }

  /** Whether a save that is asked for may be skipped: nothing was done since the last one, which is seconds old, or since it was dropped. */
  get isCurrent(): boolean {
    const isRecent = this.#now() - this.#savedAt < AUTOSAVE_MIN_INTERVAL_S * 1000;
    return !this.#used && (isRecent || this.#forgotten);
  }

  /** Another machine, or the same from its reset on, or none that runs: what is planned no longer fits. */
  restart(): void {
    this.#ready = this.#used = this.#forgotten = false;
    this.#savedAt = -Infinity;
    this.#tell(false);
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #planNext(): void {
    if (this.#timer !== undefined) return;
    const savedForMs = this.#now() - this.#savedAt;
    this.#after(Math.max(0, AUTOSAVE_USED_S * 1000 - savedForMs), () => this.#whenIdle());
  }

  #whenIdle(): void {
    this.#awaitIdle(0, AUTOSAVE_PATIENCE_S * 1000);
  }

  #tell(unsaved: boolean): void {
    if (unsaved === this.#told) return;
    this.#told = unsaved;
    this.#onUnsaved(unsaved);
  }

  /** On a slow host programs are still starting long after `ready`: wait until the CPU has nothing to do for a while. */
  #awaitIdle(samples: number, patienceMs: number): void {
    if (samples >= AUTOSAVE_IDLE_SAMPLES || patienceMs <= 0) {
      this.#stop();
      this.#save();
      return;
    }
    const next = this.#isIdle() ? samples + 1 : 0;
    this.#after(AUTOSAVE_SAMPLE_MS, () => this.#awaitIdle(next, patienceMs - AUTOSAVE_SAMPLE_MS));
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

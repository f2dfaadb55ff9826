import type { Dispatcher } from "../dispatch/index.ts";
import { errorText, plainError } from "../errors/index.ts";
import type { GuestControlEvents, GuestControlMessages, SavedInfo } from "../machine/control.ts";
import type { HostStore } from "./host-store.ts";
import { SAVE_MAX_MS, SAVE_STALL_MS, UNLOAD_SAVE_MARGIN_MS, UNLOAD_SAVE_MAX_MS } from "./limits.ts";
import type { PowerMark } from "./power-mark.ts";
import { lostProblem, saveProblem } from "./problems.ts";
import { ProgressDeadline } from "./progress-deadline.ts";
import type { Problem } from "./state.ts";

/** What saving needs of the host around it. */
export interface MachineSavesOptions {
  readonly store: HostStore;
  readonly powerMark: PowerMark;
  /** The guest's thread. @throws if this tab has no machine */
  guest(): Pick<Dispatcher<GuestControlMessages>, "call">;
  /** A save gets on. */
  onProgress(): void;
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** Keeping the machine's state: on request, on the way out, and what the guest's thread tells of its own saves. */
export class MachineSaves {
  readonly #options: MachineSavesOptions;
  readonly #deadline = new ProgressDeadline(SAVE_STALL_MS, "saving the machine");
  /** Milliseconds that saving, or restoring, took last; unknown at first. */
  #tookMs = UNLOAD_SAVE_MAX_MS;

  constructor(options: MachineSavesOptions) {
    this.#options = options;
  }

  get #store(): HostStore {
    return this.#options.store;
  }

  /** Rejects when that was not possible, and says so in the state. */
  async save(options: { unlessCurrent?: boolean } = {}): Promise<void> {
    this.#store.setSnapshot({ busy: "saving", problem: undefined });
    try {
      // As long as it gets on, it is waited for: how long hundreds of megabytes take, nobody knows.
      const saved = await this.#deadline.guard(
        this.#options.guest().call("save", options, [], { deadlineMs: SAVE_MAX_MS }),
      );
      if (saved === undefined) this.#store.setSnapshot({ busy: "none", progress: undefined });
      else this.#saved(saved);
    } catch (error) {
      this.#failed(saveProblem(plainError(error)));
      throw error;
    }
  }

  /** Drops what is kept. Rejects when that was not possible, and says so in the state. */
  async forget(): Promise<void> {
    this.#store.setSnapshot({ busy: "forgetting", problem: undefined });
    try {
      await this.#options.guest().call("forget", { level: this.#store.state.level });
      const nothing = { savedAt: undefined, earlier: undefined, bytes: undefined, store: undefined };
      this.#store.setSnapshot({ busy: "none", ...nothing });
    } catch (error) {
      const problem = {
        title: "The kept state could not be dropped",
        detail: errorText(error),
        remedy: "Try again.",
      };
      this.#store.setSnapshot({ busy: "none", problem });
      throw error;
    }
  }

  /** Of a machine that runs. @returns why it could not be saved, if so; also of one that would run, had no fault stopped it */
  async beforeLeaving(): Promise<Problem | undefined> {
    const { phase, problem, steps, snapshot } = this.#store.state;
    // One that failed at its start has lost nothing.
    const hadStarted = steps.every(({ state }) => state === "done");
    if (phase === "failed" && problem !== undefined && hadStarted)
      return lostProblem(problem, snapshot.savedAt);
    if (phase !== "running" && phase !== "paused") return undefined;
    return this.save({ unlessCurrent: true }).then(
      () => undefined,
      (error: unknown) => saveProblem(plainError(error)),
    );
  }

  /**
   * The page is about to be left. A browser gives it no time to save: its worker ends with it, unless the page itself still does
   * something. So where there is something to lose, it waits here, on the spot, as long as a save took last (and some more).
   */
  beforeUnload(): void {
    const { phase, snapshot } = this.#store.state;
    if (phase !== "running") return;
    if (snapshot.unsaved) void this.save().catch(() => {});
    // A save that is cut off is a loss as well, and the next visit begins with words about it.
    else if (snapshot.busy !== "saving") return;
    const now = this.#options.now ?? (() => performance.now());
    const end = now() + Math.min(UNLOAD_SAVE_MAX_MS, 3 * this.#tookMs + UNLOAD_SAVE_MARGIN_MS);
    while (now() < end);
  }

  /** For a tab that gets out of sight: whoever closes it later finds this moment again. */
  beforeHidden(): void {
    if (this.#store.state.phase === "running") void this.save({ unlessCurrent: true }).catch(() => {});
  }

  /** Something is kept. */
  show({ savedAt, earlier, bytes, store, tookMs }: SavedInfo): void {
    if (tookMs > 0) this.#tookMs = tookMs;
    this.#store.setSnapshot({ busy: "none", progress: undefined, savedAt, earlier, bytes, store });
  }

  /** What the guest's thread tells. */
  readonly events = {
    saving: ({ done, total }) => {
      this.#deadline.progress();
      this.#options.onProgress();
      const first = done === 0 && { problem: undefined };
      this.#store.setSnapshot({ busy: "saving", progress: done / total, ...first });
    },
    saved: (info) => this.#saved(info),
    unsaved: ({ unsaved }) => this.#store.setSnapshot({ unsaved }),
    saveFailed: ({ error }) => this.#failed(saveProblem(error)),
  } satisfies Partial<GuestControlEvents>;

  #saved(info: SavedInfo): void {
    this.#options.powerMark.set(this.#store.state.level, false);
    this.show(info);
  }

  #failed(problem: Problem): void {
    this.#store.setSnapshot({ busy: "none", progress: undefined, problem });
  }
}

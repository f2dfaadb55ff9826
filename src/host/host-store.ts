import type { DisplayState, HostState, KeyboardState, SnapshotState } from "./state.ts";
import { INITIAL_STATE } from "./state.ts";

const NOT_SHOWN: DisplayState = { screen: 0, width: 0, height: 0 };

/** What the page shows, as one immutable value, and who hears when it is another. */
export class HostStore implements Disposable {
  #state: HostState = INITIAL_STATE;
  readonly #listeners = new Set<(state: HostState) => void>();
  #isNotifying = false;

  get state(): HostState {
    return this.#state;
  }

  /** Called after each change, at most once per task. */
  subscribe(listener: (state: HostState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  update(change: Partial<HostState>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    queueMicrotask(() => {
      this.#isNotifying = false;
      for (const listener of this.#listeners) listener(this.#state);
    });
  }

  setSnapshot(change: Partial<SnapshotState>): void {
    this.update({ snapshot: { ...this.#state.snapshot, ...change } });
  }

  setKeyboard(change: Partial<KeyboardState>): void {
    this.update({ keyboard: { ...this.#state.keyboard, ...change } });
  }

  /** The first display is the state's own, the others stand beside it. */
  setDisplay(display: number, change: Partial<DisplayState>): void {
    if (display === 0) return this.update(change);
    const others = Array.from({ length: this.#state.displays.present - 1 }, (_, index) => ({
      ...(this.#state.otherDisplays[index] ?? NOT_SHOWN),
      ...(index === display - 1 && change),
    }));
    this.update({ otherDisplays: others });
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
  }
}

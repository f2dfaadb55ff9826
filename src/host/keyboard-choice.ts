import type { Dispatcher } from "../dispatch/index.ts";
import { DEFAULT_LAYOUT, KeyboardLayout } from "../keyboard/index.ts";
import type { GuestControlMessages } from "../machine/control.ts";
import { layoutCommand, layoutOfMarker } from "./hands/guest-layout.ts";
import { readLayoutSetting, writeLayoutSetting } from "./hands/keyboard-setting.ts";
import type { HostStore } from "./host-store.ts";
import { KEYBOARD_RETRY_MS, KEYBOARD_TRIES } from "./limits.ts";

/** Which keyboard layout the guest is to have, and has. */
export class KeyboardChoice {
  readonly #store: HostStore;
  readonly #guest: () => Pick<Dispatcher<GuestControlMessages>, "call">;
  readonly #pause: () => Promise<unknown>;
  /** What the server's start asked for. */
  #asked: string | undefined;

  /** @param guest its thread; throws if this tab has no machine */
  constructor(
    store: HostStore,
    guest: () => Pick<Dispatcher<GuestControlMessages>, "call">,
    pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, KEYBOARD_RETRY_MS)),
  ) {
    this.#store = store;
    this.#guest = guest;
    this.#pause = pause;
  }

  /** The server is known, and what it asks for. */
  configure(asked: string | undefined): void {
    this.#asked = asked;
    this.#store.setKeyboard({ wanted: readLayoutSetting(asked) });
  }

  /** Somebody chose a layout. @throws if there is no such layout, or the guest could not be told */
  async choose(name: string): Promise<void> {
    writeLayoutSetting(new KeyboardLayout(name).name, this.#asked);
    this.#store.setKeyboard({ wanted: name });
    await this.apply();
  }

  /** A marker of the guest. @returns whether it was about this */
  marker(name: string): boolean {
    const layout = layoutOfMarker(name);
    if (layout !== undefined) this.#store.setKeyboard({ layout });
    return layout !== undefined;
  }

  /** A guest that has just booted has the layout that all have. */
  booted(): void {
    this.#store.setKeyboard({ layout: DEFAULT_LAYOUT });
    if (this.#store.state.keyboard.wanted !== DEFAULT_LAYOUT) void this.apply().catch(() => {});
  }

  /** Tells the guest which layout to have; its marker says that it has it. The console's guest has the kernel's own only. */
  async apply(): Promise<void> {
    const { level } = this.#store.state;
    const layout = new KeyboardLayout(this.#store.state.keyboard.wanted);
    // The console says that it is ready before the shell on its serial port reads, which loses what came before.
    for (let tries = 0; tries < KEYBOARD_TRIES; tries++) {
      const { phase, keyboard } = this.#store.state;
      if (phase !== "running" || keyboard.wanted !== layout.name) return;
      await this.#guest().call("serialSend", { text: layoutCommand(layout, level) });
      if (level === "desktop") return;
      await this.#pause();
      if (this.#store.state.keyboard.layout === layout.name) return;
    }
  }
}

import { MouseMode } from "../protocol/index.ts";

/**
 * Which mouse mode is allowed and current (reds_update_mouse_mode). CLIENT, absolute positions, needs a device in the guest that
 * takes them: its absolute pointer or the agent. With a primary surface the driver decides too, by showing its own cursor shape.
 */
export class MouseModes {
  #displays = 1;
  /** Displays that the guest's absolute pointer reaches: 0 while it is off. */
  #tablet = 0;
  #agent = false;
  /** By channel id. */
  readonly #primaries = new Map<number, { readonly mouseMode: number }>();
  #current: number = MouseMode.Server;
  /** Called when the supported or the current mode changed. */
  onChange: (() => void) | undefined;

  get current(): number {
    return this.#current;
  }

  get clientAllowed(): boolean {
    return (this.usesTablet || this.#agent) && (this.#primary === undefined || this.#primary.mouseMode !== 0);
  }

  /** Of several drivers the first one with a primary decides, as in spice-server. */
  get #primary(): { readonly mouseMode: number } | undefined {
    return this.#primaries.get(Math.min(...this.#primaries.keys()));
  }

  /** SpiceMouseMode bits. */
  get supported(): number {
    return this.clientAllowed ? MouseMode.Server | MouseMode.Client : MouseMode.Server;
  }

  /**
   * Whether positions go to the guest's own absolute pointer rather than to the agent. It needs no process in the guest. A tablet that
   * reaches one display is of no use to several: spice-server counts it with a single QXL device only.
   */
  get usesTablet(): boolean {
    return this.#tablet >= this.#displays;
  }

  /** How many QXL devices there are. */
  setDisplays(displays: number): void {
    this.#update(() => (this.#displays = displays));
  }

  /** @param reach displays that its positions reach */
  setTablet(enabled: boolean, reach = 1): void {
    this.#update(() => (this.#tablet = enabled ? reach : 0));
  }

  setAgent(connected: boolean): void {
    this.#update(() => (this.#agent = connected));
  }

  setPrimary(primary: { readonly mouseMode: number } | undefined, channelId = 0): void {
    this.#update(() => {
      if (primary) this.#primaries.set(channelId, primary);
      else this.#primaries.delete(channelId);
    });
  }

  /** A client asks; nothing happens if the mode is not allowed. */
  request(mode: number): void {
    if (mode !== MouseMode.Server && mode !== MouseMode.Client) return;
    if (mode === MouseMode.Client && !this.clientAllowed) return;
    if (mode === this.#current) return;
    this.#current = mode;
    this.onChange?.();
  }

  #update(change: () => void): void {
    const allowed = this.clientAllowed;
    change();
    if (allowed === this.clientAllowed) return;
    if (!this.clientAllowed) this.#current = MouseMode.Server;
    this.onChange?.();
  }
}

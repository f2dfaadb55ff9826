import { MouseMode } from "../protocol/index.ts";

/**
 * Which mouse mode is allowed and current (reds_update_mouse_mode). CLIENT, absolute positions, needs a device in the guest that
 * takes them: its absolute pointer or the agent. With a primary surface the driver decides too, by showing its own cursor shape.
 */
export class MouseModes {
  #tablet = false;
  #agent = false;
  #primary: { readonly mouseMode: number } | undefined;
  #current: number = MouseMode.Server;
  /** Called when the supported or the current mode changed. */
  onChange: (() => void) | undefined;

  get current(): number {
    return this.#current;
  }

  get clientAllowed(): boolean {
    return (this.#tablet || this.#agent) && (this.#primary === undefined || this.#primary.mouseMode !== 0);
  }

  /** SpiceMouseMode bits. */
  get supported(): number {
    return this.clientAllowed ? MouseMode.Server | MouseMode.Client : MouseMode.Server;
  }

  /** Whether positions go to the guest's own absolute pointer rather than to the agent. It needs no process in the guest. */
  get usesTablet(): boolean {
    return this.#tablet;
  }

  setTablet(enabled: boolean): void {
    this.#update(() => (this.#tablet = enabled));
  }

  setAgent(connected: boolean): void {
    this.#update(() => (this.#agent = connected));
  }

  setPrimary(primary: { readonly mouseMode: number } | undefined): void {
    this.#update(() => (this.#primary = primary));
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

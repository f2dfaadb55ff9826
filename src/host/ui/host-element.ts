import { LitElement } from "lit";
import type { PropertyValues } from "lit";
import type { Host } from "../host-api.ts";
import type { HostState } from "../state.ts";
import { INITIAL_STATE } from "../state.ts";
import { sharedStyles } from "./shared-styles.ts";

/** An element that shows a part of a host's state and is rendered again when it changes. */
export abstract class HostElement extends LitElement {
  static override styles = [sharedStyles];
  static override properties = {
    host: { attribute: false },
    hostState: { state: true },
  };
  /** The host to show. Set before the element is connected, or at any time later. */
  declare host: Host | undefined;
  declare protected hostState: HostState;
  #subscription: Disposable | undefined;

  constructor() {
    super();
    this.host = undefined;
    this.hostState = INITIAL_STATE;
  }

  override willUpdate(changed: PropertyValues): void {
    if (!changed.has("host")) return;
    this.#subscription?.[Symbol.dispose]();
    this.hostState = this.host?.state ?? INITIAL_STATE;
    this.#subscription = this.host?.subscribe((state) => (this.hostState = state));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = undefined;
  }
}

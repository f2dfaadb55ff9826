/** The guest's end towards core: GuestMessages in, GuestEvents out. Core may be replaced (it restarts with the page). */
import { Dispatcher } from "../dispatch/index.ts";
import type { DispatcherInspection, GuestEvents, GuestMessages, Handlers } from "../dispatch/index.ts";

/** Where GuestMessages go and where a new core learns how things stand. */
export interface CoreLinkOwner {
  readonly handlers: Handlers<GuestMessages>;
  /** One of them failed. */
  readonly onError?: (type: string, error: unknown) => void;
  /** State that a core must know from the start. */
  current(): {
    agentOpen: boolean;
    tablet: boolean;
    tabletReach?: number;
    leds: number;
    standsBecause?: string;
  };
}

/** Owner disposes. */
export class CoreLink implements Disposable {
  readonly #owner: CoreLinkOwner;
  #core: Dispatcher<GuestEvents, GuestMessages> | undefined;

  constructor(owner: CoreLinkOwner) {
    this.#owner = owner;
  }

  /** Talks to the core behind `port` from now on, and tells it how things stand. */
  attach(port: MessagePort): void {
    this[Symbol.dispose]();
    this.#core = new Dispatcher(port, {
      peer: "core",
      handlers: this.#owner.handlers,
      onError: this.#owner.onError,
      // The agent, the keyboard and the pointer may each take their time; nothing else must wait for them.
      concurrent: ["agentWrite", "keyScancodes", "mouseMotion", "mousePosition"],
    });
    const { agentOpen, tablet, tabletReach, leds, standsBecause } = this.#owner.current();
    this.tabletState(tablet, tabletReach);
    this.leds(leds);
    if (agentOpen) this.agentState(true);
    if (standsBecause !== undefined) this.power(standsBecause, true);
  }

  get inspections(): readonly DispatcherInspection[] {
    return this.#core ? [this.#core.inspection] : [];
  }

  agentState(open: boolean): void {
    this.#core?.send("agentState", { open });
  }

  /** Settles when core has taken the bytes; without a core they are lost, as on an unconnected cable. */
  async agentData(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#core?.call("agentData", { bytes }, [bytes.buffer]);
  }

  tabletState(enabled: boolean, reach?: number): void {
    this.#core?.send("tabletState", { enabled, ...(reach !== undefined && { reach }) });
  }

  leds(modifiers: number): void {
    this.#core?.send("leds", { modifiers });
  }

  power(words: string, stands: boolean): void {
    this.#core?.send("power", { words, stands });
  }

  [Symbol.dispose](): void {
    this.#core?.[Symbol.dispose]();
    this.#core = undefined;
  }
}

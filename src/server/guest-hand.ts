import type { Dispatcher, GuestMessages } from "../dispatch/index.ts";
import { MouseButtonMask, MouseMode } from "../protocol/index.ts";
import type { InputsChannelClient, InputsOwner } from "./inputs-channel-client.ts";
import { KEY_MODIFIERS_TTL } from "./limits.ts";
import type { MouseModes } from "./mouse-mode.ts";

/** What the hand needs of the guest's thread and of its agent. */
export interface HandTargets {
  readonly guest: Pick<Dispatcher<GuestMessages>, "send">;
  /** Positions for guests without an absolute device of their own; buttons is a SpiceMouseButtonMask. */
  readonly agent: { mouseState(x: number, y: number, buttons: number, displayId: number): void };
  readonly mouse: MouseModes;
}

const wheelMask = (dz: number) => (dz < 0 ? MouseButtonMask.Up : dz > 0 ? MouseButtonMask.Down : 0);

/** The guest's keyboard and pointer: what all clients' InputsChannels and the tab's own screen do with them. */
export class GuestHand implements InputsOwner, Disposable {
  readonly #targets: HandTargets;
  readonly #inputs = new Set<InputsChannelClient>();
  /** What the guest last showed, as SpiceKeyboardModifierFlags. */
  #leds = 0;
  /** What it will show once it has seen the lock keys that were pressed for a client; dropped when it has, or did not in time. */
  #expected: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #position = { x: 0, y: 0 };

  constructor(targets: HandTargets) {
    this.#targets = targets;
  }

  add(inputs: InputsChannelClient): void {
    this.#inputs.add(inputs);
  }

  remove(inputs: InputsChannelClient): void {
    this.#inputs.delete(inputs);
  }

  // --- InputsOwner ---------------------------------------------------------------------------------------------------

  get leds(): number {
    return this.#expected ?? this.#leds;
  }

  /** As the guest last showed them, without guessing. */
  get shownLeds(): number {
    return this.#leds;
  }

  keyScancodes(bytes: readonly number[]): void {
    if (bytes.length > 0) this.#targets.guest.send("keyScancodes", { bytes });
  }

  locksPressed(expected: number): void {
    this.#expected = expected;
    this.#tellLater();
  }

  motion(dx: number, dy: number, buttons: number): void {
    if (this.#targets.mouse.current !== MouseMode.Server) return;
    this.localMotion(dx, dy, 0, buttons);
  }

  position(x: number, y: number, buttons: number, displayId: number): void {
    if (this.#targets.mouse.current !== MouseMode.Client) return;
    this.localPosition(x, y, 0, buttons, displayId);
  }

  buttons(buttons: number, dz: number): void {
    if (this.#targets.mouse.current === MouseMode.Server) this.localMotion(0, 0, dz, buttons);
    else this.localPosition(this.#position.x, this.#position.y, dz, buttons);
  }

  // --- the tab's own screen ------------------------------------------------------------------------------------------

  /** Absolute where the guest can take it, whatever mode the clients use. */
  localPosition(x: number, y: number, dz: number, buttons: number, displayId = 0): void {
    const { mouse, guest, agent } = this.#targets;
    this.#position = { x, y };
    if (mouse.usesTablet) guest.send("mousePosition", { x, y, dz, buttons });
    else agent.mouseState(x, y, buttons | wheelMask(dz), displayId);
  }

  localMotion(dx: number, dy: number, dz: number, buttons: number): void {
    this.#targets.guest.send("mouseMotion", { dx, dy, dz, buttons });
  }

  // --- what the guest shows ------------------------------------------------------------------------------------------

  /** The guest's lock keys changed. */
  setLeds(modifiers: number): void {
    this.#expected = undefined;
    if (modifiers === this.#leds) return;
    this.#leds = modifiers;
    this.#tell();
    // Told once more: a client that pressed the key itself may have overridden the first.
    this.#tellLater();
  }

  #tellLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#expected = undefined;
      this.#tell();
    }, KEY_MODIFIERS_TTL);
  }

  #tell(): void {
    for (const inputs of this.#inputs) inputs.sendModifiers(this.#leds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#inputs.clear();
  }
}

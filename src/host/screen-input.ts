/** What a person does on the tab's own screen, as input for the guest. */
import type { LocalHand } from "./host-api.ts";
import { scancodes } from "./scancodes.ts";
import { guestPoint } from "./screen-fit.ts";

/** Wheel movement in CSS pixels that makes one step: a notch of a usual wheel is 100 to 120. */
const WHEEL_STEP_PIXELS = 60;

/** MouseEvent.buttons (1 left, 2 right, 4 middle) as SpiceMouseButtonMask (1 left, 2 middle, 4 right). */
export function spiceButtons(buttons: number): number {
  return (buttons & 1) | ((buttons & 4) >> 1) | ((buttons & 2) << 1);
}

/** Keys on their way to the guest, and which of them are down: all are let go when the focus leaves. */
export class KeyboardInput {
  readonly #hand: LocalHand;
  readonly #down = new Set<string>();
  /** Control and Alt went down and nothing else did: letting go of them now means "give me my keyboard back". */
  #escaping = false;

  constructor(hand: LocalHand) {
    this.#hand = hand;
  }

  press(code: string): void {
    this.#down.add(code);
    this.#escaping = this.#down.size === 2 && this.#has("Control") && this.#has("Alt");
    this.#hand.keys(scancodes(code, true));
  }

  /** True when this was the end of the chord that frees the keyboard. */
  release(code: string): boolean {
    const wasDown = this.#down.delete(code);
    if (wasDown) this.#hand.keys(scancodes(code, false));
    const escape = this.#escaping;
    this.#escaping = false;
    return escape;
  }

  releaseAll(): void {
    for (const code of this.#down) this.#hand.keys(scancodes(code, false));
    this.#down.clear();
    this.#escaping = false;
  }

  #has(modifier: string): boolean {
    return this.#down.has(`${modifier}Left`) || this.#down.has(`${modifier}Right`);
  }
}

/** The pointer on its way to the guest. */
export class PointerInput {
  readonly #hand: LocalHand;
  #wheel = 0;
  #buttons = 0;
  #last = { x: 0, y: 0 };

  constructor(hand: LocalHand) {
    this.#hand = hand;
  }

  /** Moves, presses and releases alike: the event's `buttons` say what is down afterwards. */
  absolute(event: MouseEvent, shown: DOMRect, guest: { width: number; height: number }): void {
    this.#buttons = spiceButtons(event.buttons);
    this.#last = guestPoint({ x: event.clientX - shown.left, y: event.clientY - shown.top }, shown, guest);
    this.#hand.moveTo(this.#last.x, this.#last.y, 0, this.#buttons);
  }

  relative(event: MouseEvent): void {
    this.#buttons = spiceButtons(event.buttons);
    this.#hand.moveBy(event.movementX, event.movementY, 0, this.#buttons);
  }

  wheel(event: WheelEvent, mode: "absolute" | "relative"): void {
    const pixels =
      event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_STEP_PIXELS;
    this.#wheel += pixels;
    const steps = Math.trunc(this.#wheel / WHEEL_STEP_PIXELS);
    this.#wheel -= steps * WHEEL_STEP_PIXELS;
    const dz = Math.sign(steps);
    for (let i = 0; i < Math.abs(steps); i++) {
      if (mode === "absolute") this.#hand.moveTo(this.#last.x, this.#last.y, dz, this.#buttons);
      else this.#hand.moveBy(0, 0, dz, this.#buttons);
    }
  }

  releaseAll(mode: "absolute" | "relative"): void {
    if (this.#buttons === 0) return;
    this.#buttons = 0;
    if (mode === "absolute") this.#hand.moveTo(this.#last.x, this.#last.y, 0, 0);
    else this.#hand.moveBy(0, 0, 0, 0);
  }
}

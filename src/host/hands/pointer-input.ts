import type { LocalHand } from "../host-api.ts";
import { SIDEWAYS_AFTER_MS, SIDEWAYS_BEFORE_MS } from "../limits.ts";
import { PressedButtons, spiceButtons } from "./pressed-buttons.ts";
import { TouchGestures } from "./touch-gestures.ts";
import type { Place, TouchTimers } from "./touch-gestures.ts";
import { WheelCounter } from "./wheel-steps.ts";
import type { WheelMovement } from "./wheel-steps.ts";

/** What is read of a PointerEvent. */
export interface PointerMovement {
  readonly pointerId: number;
  readonly pointerType: string;
  readonly buttons: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly movementX: number;
  readonly movementY: number;
  readonly timeStamp: number;
}

export interface PointerOptions extends TouchTimers {
  /** Asked each time: the host's hand may be replaced. */
  readonly hand: () => LocalHand;
  /** "absolute": the guest follows the pointer; "relative": it takes motions. */
  readonly mode: () => "absolute" | "relative";
  /** The guest's pixel under a place of the page. */
  readonly toGuest: (place: Place) => Place;
  /** Holds Shift in the guest, or lets go of it: a PC's wheel turns sideways with it. */
  readonly holdShift: (down: boolean) => void;
  /** Called in front of each press and each turn of the wheel. */
  readonly acts: () => void;
}

/** Mouse, pens and fingers on their way to the guest's pointer. Nothing stays pressed that nobody presses. */
export class PointerInput {
  readonly #options: PointerOptions;
  readonly #buttons = new PressedButtons();
  readonly #wheel = new WheelCounter();
  readonly #touch: TouchGestures;
  /** The guest's pixel where the pointer was last. */
  #last: Place = { x: 0, y: 0 };
  #lastTouch: Place | undefined;
  /** Parts of pixels of motions. */
  #rest: Place = { x: 0, y: 0 };
  #sent = 0;
  #sideways = 0;
  #sidewaysTimer: unknown;
  #shiftHeld = false;

  constructor(options: PointerOptions) {
    this.#options = options;
    this.#touch = new TouchGestures(
      {
        point: (place, buttons) => this.#point(place, buttons),
        scroll: (x, y) => this.#turn(x, y),
      },
      options,
    );
  }

  /** A SpiceMouseButtonMask of what is down in the guest. */
  get buttons(): number {
    return this.#sent;
  }

  down(event: PointerMovement): void {
    this.#options.acts();
    if (event.pointerType === "touch") {
      if (this.#options.mode() === "relative") this.#lastTouch = placeOf(event);
      this.#touch.down(event.pointerId, placeOf(event), event.timeStamp);
      return;
    }
    this.#buttons.set(event.pointerId, spiceButtons(event.buttons));
    this.#moved(event);
  }

  /** Also a second button of a mouse that has one down: browsers tell it as a movement. */
  move(event: PointerMovement): void {
    if (event.pointerType === "touch") {
      this.#touch.move(event.pointerId, placeOf(event));
      return;
    }
    // A press that began elsewhere on the page is not the guest's.
    if (this.#buttons.has(event.pointerId)) {
      this.#buttons.set(event.pointerId, spiceButtons(event.buttons));
    }
    this.#moved(event);
  }

  up(event: PointerMovement): void {
    if (event.pointerType === "touch") {
      this.#touch.up(event.pointerId, event.timeStamp);
      return;
    }
    if (!this.#buttons.has(event.pointerId)) return;
    this.#buttons.set(event.pointerId, spiceButtons(event.buttons));
    this.#moved(event);
  }

  /** The browser or the system took this pointer away. */
  cancel(event: PointerMovement): void {
    if (event.pointerType === "touch") {
      this.#touch.cancel(event.pointerId);
      return;
    }
    if (!this.#buttons.has(event.pointerId)) return;
    this.#buttons.set(event.pointerId, 0);
    this.#still(0);
  }

  wheel(event: WheelMovement): void {
    this.#options.acts();
    const { x, y } = this.#wheel.steps(event);
    this.#turn(x, y);
  }

  releaseAll(): void {
    this.#touch.cancelAll();
    this.#buttons.clear();
    if (this.#sidewaysTimer !== undefined) this.#options.clearTimer(this.#sidewaysTimer);
    this.#sidewaysTimer = undefined;
    this.#sideways = 0;
    this.#shift(false);
    if (this.#sent !== 0) this.#still(0);
  }

  #moved(event: PointerMovement): void {
    if (this.#options.mode() === "relative") {
      this.#moveBy(event.movementX, event.movementY);
      return;
    }
    this.#last = this.#options.toGuest(placeOf(event));
    this.#still(0);
  }

  #moveBy(x: number, y: number): void {
    const sum = { x: this.#rest.x + x, y: this.#rest.y + y };
    const whole = { x: Math.trunc(sum.x), y: Math.trunc(sum.y) };
    this.#rest = { x: sum.x - whole.x, y: sum.y - whole.y };
    this.#sent = this.#buttons.mask;
    this.#options.hand().moveBy(whole.x, whole.y, 0, this.#sent);
  }

  /** Buttons, and a step of the wheel, where the pointer is. */
  #still(dz: number): void {
    this.#sent = this.#buttons.mask;
    if (this.#options.mode() === "relative") this.#options.hand().moveBy(0, 0, dz, this.#sent);
    else this.#options.hand().moveTo(this.#last.x, this.#last.y, dz, this.#sent);
  }

  /** Fingers: all of them are one pointer. */
  #point(place: Place, buttons: number): void {
    this.#buttons.set(TOUCH, buttons);
    if (this.#options.mode() === "absolute") {
      this.#last = this.#options.toGuest(place);
      this.#still(0);
      return;
    }
    const before = this.#lastTouch ?? place;
    this.#lastTouch = place;
    this.#moveBy(place.x - before.x, place.y - before.y);
  }

  #turn(x: number, y: number): void {
    for (let i = 0; i < Math.abs(y); i++) this.#still(Math.sign(y));
    if (x !== 0) this.#turnSideways(x);
  }

  /** A PC's wheel has one direction: sideways is Shift and wheel, for whatever takes it so. Keys go another way than the pointer, so it waits a little. */
  #turnSideways(steps: number): void {
    const { setTimer, clearTimer } = this.#options;
    this.#sideways += steps;
    if (this.#sidewaysTimer !== undefined) clearTimer(this.#sidewaysTimer);
    const waitMs = this.#shiftHeld ? 0 : SIDEWAYS_BEFORE_MS;
    this.#shift(true);
    const turn = () => {
      const waiting = this.#sideways;
      this.#sideways = 0;
      for (let i = 0; i < Math.abs(waiting); i++) this.#still(Math.sign(waiting));
      this.#sidewaysTimer = setTimer(() => {
        this.#sidewaysTimer = undefined;
        this.#shift(false);
      }, SIDEWAYS_AFTER_MS);
    };
    if (waitMs === 0) turn();
    else this.#sidewaysTimer = setTimer(turn, waitMs);
  }

  #shift(down: boolean): void {
    if (down === this.#shiftHeld) return;
    this.#shiftHeld = down;
    this.#options.holdShift(down);
  }
}

/** The pointer that all fingers are. */
const TOUCH = -1;

const placeOf = (event: PointerMovement): Place => ({ x: event.clientX, y: event.clientY });

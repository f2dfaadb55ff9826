import { LONG_PRESS_MS, TOUCH_SLOP_PIXELS, TOUCH_STEP_PIXELS, TOUCH_TAP_MS } from "../limits.ts";

/** SpiceMouseButtonMask. */
const LEFT = 1;
const MIDDLE = 2;
const RIGHT = 4;

/** A place in CSS pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What fingers do to the guest. */
export interface TouchTarget {
  /** The pointer goes there, with these buttons (a SpiceMouseButtonMask). */
  point(place: Place, buttons: number): void;
  /** Wheel steps: down and right are positive. */
  scroll(x: number, y: number): void;
}

export interface TouchTimers {
  setTimer(callback: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

interface Finger {
  readonly start: Place;
  at: Place;
}

/**
 * Fingers as a mouse: a tap is a click, two fingers' tap a right one, three fingers' a middle one; a moving finger drags; one that rests
 * and lifts is a right click; two moving fingers turn the wheel.
 */
export class TouchGestures {
  readonly #target: TouchTarget;
  readonly #timers: TouchTimers;
  readonly #fingers = new Map<number, Finger>();
  #most = 0;
  #startedMs = 0;
  #state: "idle" | "waiting" | "resting" | "dragging" | "scrolling" | "ended" = "idle";
  #timer: unknown;
  #scrolled: Place = { x: 0, y: 0 };

  constructor(target: TouchTarget, timers: TouchTimers) {
    this.#target = target;
    this.#timers = timers;
  }

  down(finger: number, at: Place, timeMs: number): void {
    this.#fingers.set(finger, { start: at, at });
    this.#most = Math.max(this.#most, this.#fingers.size);
    this.#stopTimer();
    if (this.#fingers.size === 1) {
      this.#most = 1;
      this.#startedMs = timeMs;
      this.#state = "waiting";
      this.#target.point(at, 0);
      this.#timer = this.#timers.setTimer(() => {
        if (this.#state === "waiting") this.#state = "resting";
      }, LONG_PRESS_MS);
    } else if (this.#state === "dragging") {
      this.#lift();
      this.#state = "ended";
    } else if (this.#state === "waiting" || this.#state === "resting") {
      this.#state = "waiting";
      this.#scrolled = this.#middle();
    }
  }

  move(finger: number, at: Place): void {
    const moved = this.#fingers.get(finger);
    if (moved === undefined) return;
    moved.at = at;
    const far = Math.hypot(at.x - moved.start.x, at.y - moved.start.y) > TOUCH_SLOP_PIXELS;
    if (this.#fingers.size > 1) {
      if (this.#state === "waiting" && far) this.#state = "scrolling";
      if (this.#state === "scrolling") this.#scroll();
      return;
    }
    if ((this.#state === "waiting" || this.#state === "resting") && far && this.#most === 1) {
      this.#stopTimer();
      this.#state = "dragging";
      this.#target.point(moved.start, LEFT);
    }
    if (this.#state === "dragging") this.#target.point(at, LEFT);
  }

  up(finger: number, timeMs: number): void {
    const lifted = this.#fingers.get(finger);
    if (lifted === undefined) return;
    this.#fingers.delete(finger);
    if (this.#state === "dragging") this.#target.point(lifted.at, 0);
    if (this.#fingers.size > 0) return;
    const short = timeMs - this.#startedMs <= TOUCH_TAP_MS;
    if (this.#state === "resting") this.#click(lifted.start, RIGHT);
    else if (this.#state === "waiting" && (short || this.#most === 1)) {
      this.#click(lifted.start, [LEFT, RIGHT, MIDDLE][Math.min(this.#most, 3) - 1]);
    }
    this.#end();
  }

  /** The system took this finger away, and with it the gesture. */
  cancel(finger: number): void {
    if (this.#fingers.has(finger)) this.cancelAll();
  }

  cancelAll(): void {
    this.#lift();
    this.#fingers.clear();
    this.#end();
  }

  #lift(): void {
    const [finger] = this.#fingers.values();
    if (this.#state === "dragging" && finger !== undefined) this.#target.point(finger.at, 0);
  }

  #end(): void {
    this.#stopTimer();
    this.#state = "idle";
    this.#most = 0;
  }

  #click(at: Place, button: number): void {
    this.#target.point(at, button);
    this.#target.point(at, 0);
  }

  #middle(): Place {
    const all = [...this.#fingers.values()];
    const sum = (pick: (place: Place) => number) => all.reduce((total, { at }) => total + pick(at), 0);
    return { x: sum(({ x }) => x) / all.length, y: sum(({ y }) => y) / all.length };
  }

  /** What lies under the fingers goes with them: fingers that go down turn the wheel up. */
  #scroll(): void {
    const { x, y } = this.#middle();
    const steps = {
      x: Math.trunc((this.#scrolled.x - x) / TOUCH_STEP_PIXELS) || 0,
      y: Math.trunc((this.#scrolled.y - y) / TOUCH_STEP_PIXELS) || 0,
    };
    if (steps.x === 0 && steps.y === 0) return;
    this.#scrolled = {
      x: this.#scrolled.x - steps.x * TOUCH_STEP_PIXELS,
      y: this.#scrolled.y - steps.y * TOUCH_STEP_PIXELS,
    };
    this.#target.scroll(steps.x, steps.y);
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

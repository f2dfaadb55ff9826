/**
 * Wheel events as steps of a PC's wheel: one notch is one step. Browsers tell pixels, lines or pages, as many of them for a notch as
 * system and browser like, and trackpads tell a stream of small distances.
 */

/** What is read of a WheelEvent. The old wheelDelta values are counts, 120 for a notch, where a browser has them. */
export interface WheelMovement {
  readonly deltaX: number;
  readonly deltaY: number;
  /** 0 pixels, 1 lines, 2 pages. */
  readonly deltaMode: number;
  readonly wheelDeltaX?: number;
  readonly wheelDeltaY?: number;
  readonly isTrusted: boolean;
}

/** Whole steps: right and down are positive. */
export interface WheelSteps {
  readonly x: number;
  readonly y: number;
}

const LINES = 1;
const PAGES = 2;
/** Count of the old wheelDelta for a notch. */
const NOTCH = 120;
/** Lines for a notch: what Firefox has from most systems. */
const NOTCH_LINES = 3;
/** Pixels that browsers give for a notch: Chromium on Windows, on Linux. */
const NOTCH_PIXELS = [120, 100];
/** Pixels from which one event is a wheel's, not a finger's. */
const WHEEL_PIXELS = 50;
/** Pixels that fingers move for a step: what most programs scroll for it. */
const STEP_PIXELS = 60;
/** macOS gives mice that turn slowly this for a notch, and multiples of it for one that turns fast. */
const MAC_NOTCH_PIXELS = 4.000244140625;

/** Adds up the parts of steps, for one direction. */
class Axis {
  #part = 0;

  steps(delta: number, count: number | undefined, mode: number, isTrusted: boolean): number {
    if (delta === 0 || !Number.isFinite(delta)) return 0;
    const size = Math.abs(delta);
    const whole = wholeNotches(size, count === undefined ? 0 : Math.abs(count), mode);
    if (whole > 0) {
      this.#part = 0;
      return Math.sign(delta) * whole;
    }
    const counted = isTrusted && count !== undefined && count !== 0 && mode === 0;
    const part = counted ? Math.abs(count) / NOTCH : size / (mode === LINES ? NOTCH_LINES : STEP_PIXELS);
    if (Math.sign(this.#part) !== Math.sign(delta)) this.#part = 0;
    this.#part += Math.sign(delta) * part;
    // A notch in eight parts must make one, whatever floating point makes of the sum.
    const steps = Math.trunc(this.#part + Math.sign(delta) * 1e-6);
    this.#part -= steps;
    // -0 is no number of steps.
    return steps || 0;
  }
}

/** Notches where the event is a wheel's; 0: it is a part of one, or a finger's. */
function wholeNotches(size: number, count: number, mode: number): number {
  if (count > 0 && count % NOTCH === 0) return count / NOTCH;
  if (mode === PAGES) return Math.max(1, Math.round(size));
  if (mode === LINES) return Number.isInteger(size) ? Math.max(1, Math.trunc(size / NOTCH_LINES)) : 0;
  // Small ones first: a trackpad's stream is made of whole pixels too.
  const mac = size / MAC_NOTCH_PIXELS;
  if (size % 1 !== 0 && Math.abs(mac - Math.round(mac)) < 1e-6) return 1;
  const pixels = NOTCH_PIXELS.find((notch) => size % notch === 0);
  if (pixels !== undefined) return size / pixels;
  return count === 0 && size >= WHEEL_PIXELS ? Math.max(1, Math.round(size / 100)) : 0;
}

/** One wheel or trackpad. */
export class WheelCounter {
  readonly #x = new Axis();
  readonly #y = new Axis();

  steps(event: WheelMovement): WheelSteps {
    // Firefox gives lines only to those who ask for the mode before the distance.
    const { deltaMode } = event;
    const { deltaX, deltaY, wheelDeltaX, wheelDeltaY, isTrusted } = event;
    return {
      x: this.#x.steps(deltaX, wheelDeltaX, deltaMode, isTrusted),
      y: this.#y.steps(deltaY, wheelDeltaY, deltaMode, isTrusted),
    };
  }
}

import { SEAT_MAX_PIXELS, SEAT_MIN_HEIGHT_PIXELS, SEAT_MIN_WIDTH_PIXELS, SEAT_SETTLE_MS } from "../limits.ts";
import { devicePixelsPerGuestPixel } from "../screen-fit.ts";
import type { TouchTimers } from "./touch-gestures.ts";

/** Room for the guest's picture. */
export interface Room {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly devicePixelRatio: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Linux makes its modes a multiple of this wide (drm_cvt_mode). */
const WIDTH_STEP_PIXELS = 8;

/** The size that the guest's screen should have to fill the room, in guest pixels; undefined: there is no room to speak of. */
export function seatSize({ width, height, devicePixelRatio }: Room): Size | undefined {
  if (!(width > 0 && height > 0)) return undefined;
  const scale = devicePixelRatio / devicePixelsPerGuestPixel(devicePixelRatio);
  // A hair of floating point must not cost a pixel.
  const wide = Math.max(SEAT_MIN_WIDTH_PIXELS, Math.floor(width * scale + 1e-3));
  const high = Math.max(SEAT_MIN_HEIGHT_PIXELS, Math.floor(height * scale + 1e-3));
  const shrink = Math.min(1, Math.sqrt(SEAT_MAX_PIXELS / (wide * high)));
  const columns = Math.floor(wide * shrink);
  return { width: columns - (columns % WIDTH_STEP_PIXELS), height: Math.floor(high * shrink) };
}

export interface SeatOptions extends TouchTimers {
  readonly want: (size: Size) => void;
}

/**
 * The tab's own seat at the machine: asks for a screen of its room's size, as any client's window does. Among several the one that
 * changed last has its way, so it asks only when its own room has changed, and when the machine begins to run.
 */
export class Seat implements Disposable {
  readonly #options: SeatOptions;
  #size: Size | undefined;
  #isRunning = false;
  #follows = false;
  #timer: unknown;

  constructor(options: SeatOptions) {
    this.#options = options;
  }

  /** The room as it is now. */
  room(room: Room): void {
    const size = seatSize(room);
    if (size === undefined || (size.width === this.#size?.width && size.height === this.#size.height)) return;
    this.#size = size;
    this.#askLater();
  }

  /** Whether the guest can take a size, and whether it should follow this seat. */
  update(isRunning: boolean, follows: boolean): void {
    const begins = isRunning && follows && !(this.#isRunning && this.#follows);
    this.#isRunning = isRunning;
    this.#follows = follows;
    if (begins) this.#askLater();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #stop(): void {
    if (this.#timer !== undefined) this.#options.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Once the room has come to rest: a new mode costs the guest a second. */
  #askLater(): void {
    this.#stop();
    if (!this.#isRunning || !this.#follows) return;
    this.#timer = this.#options.setTimer(() => {
      this.#timer = undefined;
      if (this.#size !== undefined && this.#isRunning && this.#follows) this.#options.want(this.#size);
    }, SEAT_SETTLE_MS);
  }
}

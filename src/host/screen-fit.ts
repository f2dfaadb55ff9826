/** Where the guest's picture lies in the space it was given, in CSS pixels. */
export interface ScreenFit {
  readonly width: number;
  readonly height: number;
  /** CSS pixels per guest pixel. */
  readonly scale: number;
}

/** How much smaller than the room allows a picture may be shown for the sake of being exact. */
const EXACT_SHRINK = 0.75;
/** The same for a picture that is to fill its room. */
const EXACT_FILL = 0.98;
/** A dense screen from this fraction on below a whole number of device pixels per CSS pixel counts as that number: 1.75 is 2. */
const NEARLY_WHOLE = 0.25;

/**
 * Device pixels on each side of a guest pixel when it is shown in its own size: a whole number, so that text is sharp on every screen.
 * One on usual screens (also at 125 % and 150 %), two on those of double density.
 */
export function devicePixelsPerGuestPixel(devicePixelRatio: number): number {
  return Math.max(1, Math.floor(devicePixelRatio + NEARLY_WHOLE));
}

/**
 * The size to show the picture at: its own, or less where there is too little room; with `fill` as large as the room allows. A size with
 * a whole number of device pixels per guest pixel is taken where it is nearly as large, since it keeps text sharp.
 */
export function fitScreen(
  guest: { width: number; height: number },
  room: { width: number; height: number },
  devicePixelRatio: number,
  fill = false,
): ScreenFit {
  if (guest.width === 0 || guest.height === 0) return { width: 0, height: 0, scale: 1 };
  const own = devicePixelsPerGuestPixel(devicePixelRatio) / devicePixelRatio;
  const most = Math.max(0, Math.min(room.width / guest.width, room.height / guest.height));
  const limit = fill ? most : Math.min(own, most);
  // A hair of floating point must not cost a device pixel.
  const exact = Math.floor(limit * devicePixelRatio + 1e-6) / devicePixelRatio;
  const scale = exact >= limit * (fill ? EXACT_FILL : EXACT_SHRINK) ? exact : limit;
  return { width: guest.width * scale, height: guest.height * scale, scale };
}

/** The guest pixel under a point of the shown picture, kept inside the picture. */
export function guestPoint(
  point: { x: number; y: number },
  shown: { width: number; height: number },
  guest: { width: number; height: number },
): { x: number; y: number } {
  // Fractional scales put the edge of a pixel a hair beside where floating point finds it.
  const along = (at: number, size: number, pixels: number) =>
    size <= 0 ? 0 : Math.max(0, Math.min(pixels - 1, Math.floor((at * pixels) / size + 1e-4)));
  return { x: along(point.x, shown.width, guest.width), y: along(point.y, shown.height, guest.height) };
}

/** Where the guest's picture lies in the space it was given, in CSS pixels. */
export interface ScreenFit {
  readonly width: number;
  readonly height: number;
  /** CSS pixels per guest pixel. */
  readonly scale: number;
}

/** How much smaller than the room allows a picture may be shown for the sake of being exact. */
const EXACT_SHRINK = 0.75;

/**
 * The size to show the picture at: one CSS pixel per guest pixel, or less where there is too little room. A size with
 * a whole number of device pixels per guest pixel is taken where it is nearly as large, since it keeps text sharp.
 */
export function fitScreen(
  guest: { width: number; height: number },
  room: { width: number; height: number },
  devicePixelRatio: number,
): ScreenFit {
  if (guest.width === 0 || guest.height === 0) return { width: 0, height: 0, scale: 1 };
  const most = Math.max(0, Math.min(1, room.width / guest.width, room.height / guest.height));
  const exact = Math.floor(most * devicePixelRatio) / devicePixelRatio;
  const scale = exact >= most * EXACT_SHRINK ? exact : most;
  return { width: guest.width * scale, height: guest.height * scale, scale };
}

/** The guest pixel under a point of the shown picture, kept inside the picture. */
export function guestPoint(
  point: { x: number; y: number },
  shown: { width: number; height: number },
  guest: { width: number; height: number },
): { x: number; y: number } {
  const along = (at: number, size: number, pixels: number) =>
    size <= 0 ? 0 : Math.max(0, Math.min(pixels - 1, Math.floor((at / size) * pixels)));
  return { x: along(point.x, shown.width, guest.width), y: along(point.y, shown.height, guest.height) };
}

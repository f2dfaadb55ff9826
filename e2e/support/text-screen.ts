import type { Picture } from "./ppm.ts";

/** Share of pixels that are not black: a text screen with something on it has a few percent. */
export function litShare(picture: Picture): number {
  let lit = 0;
  for (let i = 0; i < picture.rgb.length; i += 3) {
    if (picture.rgb[i] > 40 || picture.rgb[i + 1] > 40 || picture.rgb[i + 2] > 40) lit++;
  }
  return lit / (picture.rgb.length / 3);
}

/** Different colours in a picture, counted up to `limit`. */
export function colourCount(picture: Picture, limit = 4096): number {
  const seen = new Set<number>();
  for (let i = 0; i < picture.rgb.length && seen.size < limit; i += 3) {
    seen.add((picture.rgb[i] << 16) | (picture.rgb[i + 1] << 8) | picture.rgb[i + 2]);
  }
  return seen.size;
}

/** The part of `picture` inside the rectangle. */
export function crop(picture: Picture, left: number, top: number, width: number, height: number): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * 3;
    rgb.set(picture.rgb.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, rgb };
}

/**
 * Where `part` lies in `whole`, pixel for pixel, or undefined. Rows of the part are looked for from its first row on.
 */
export function locate(part: Picture, whole: Picture): { x: number; y: number } | undefined {
  const first = Buffer.from(part.rgb.subarray(0, part.width * 3));
  const haystack = Buffer.from(whole.rgb.buffer, whole.rgb.byteOffset, whole.rgb.byteLength);
  for (let y = 0; y + part.height <= whole.height; y++) {
    const row = haystack.subarray(y * whole.width * 3, (y + 1) * whole.width * 3);
    for (let at = row.indexOf(first); at >= 0; at = row.indexOf(first, at + 1)) {
      if (at % 3 !== 0) continue;
      const x = at / 3;
      if (sameAt(part, whole, x, y)) return { x, y };
    }
  }
  return undefined;
}

function sameAt(part: Picture, whole: Picture, x: number, y: number): boolean {
  for (let row = 0; row < part.height; row++) {
    const a = part.rgb.subarray(row * part.width * 3, (row + 1) * part.width * 3);
    const from = ((y + row) * whole.width + x) * 3;
    if (Buffer.compare(a, whole.rgb.subarray(from, from + part.width * 3)) !== 0) return false;
  }
  return true;
}

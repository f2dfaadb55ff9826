import type { CursorShape } from "../../src/client/index.ts";
import { CursorType } from "../../src/protocol/index.ts";
import type { Picture } from "./ppm.ts";

/**
 * Whether a screen shows an ALPHA shape with its hot spot at (x, y): opaque pixels have the shape's colour, fully transparent ones
 * are as on the same screen without pointer. Gives words for a person about what differs, undefined if nothing does.
 */
export function shapeMismatch(
  shape: CursorShape,
  shown: Picture,
  bare: Picture,
  { x, y }: { readonly x: number; readonly y: number },
): string | undefined {
  const { type, width, height, hotSpotX, hotSpotY, data } = shape;
  if (type !== CursorType.Alpha) return `the shape is no ALPHA cursor: ${type}`;
  let [opaque, wrong] = [0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (row * width + column) * 4;
      const place = ((y - hotSpotY + row) * shown.width + x - hotSpotX + column) * 3;
      const alpha = data[at + 3];
      if (alpha !== 0 && alpha !== 255) continue;
      if (alpha === 255) opaque++;
      const expected =
        alpha === 255 ? [data[at + 2], data[at + 1], data[at]] : bare.rgb.subarray(place, place + 3);
      if (expected.some((value, channel) => value !== shown.rgb[place + channel])) wrong++;
    }
  }
  if (opaque === 0) return "the shape has no opaque pixel";
  return wrong === 0 ? undefined : `${wrong} pixels of the pointer differ`;
}

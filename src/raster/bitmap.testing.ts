import type { RedBitmap } from "../protocol/red-command.ts";

/** A bitmap as a guest gives it: top-down, not to be cached, its rows packed from `offset` of the batch on. */
export function bitmap(
  format: number,
  width: number,
  height: number,
  stride: number,
  offset = 0,
  more: Partial<RedBitmap> = {},
): RedBitmap {
  return {
    kind: "bitmap",
    id: 0n,
    cacheMe: false,
    format,
    width,
    height,
    stride,
    topDown: true,
    data: { offset, length: stride * height },
    ...more,
  };
}

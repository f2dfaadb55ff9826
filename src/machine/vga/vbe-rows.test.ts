import { expect, test } from "vitest";
import { planarRows } from "./planar-rows.ts";
import type { V86VgaLayer } from "../v86/v86-private.ts";
import { vbeRows } from "./vbe-rows.ts";

const palette = new Int32Array(256).map((_, index) => (index << 16) | index);
const row = (bytes: readonly number[], bpp: number, offset = 0, width = 2, y = 0): number[] => {
  const target = new Uint32Array(width).fill(0xdead);
  vbeRows(new Uint8Array(bytes), { width, height: 1, bpp, offset }, palette)(y, target);
  return [...target];
};

test.each([
  [
    "32 bit drops the fourth byte",
    32,
    [0x03, 0x02, 0x01, 0xff, 0x30, 0x20, 0x10, 0x80],
    [0x010203, 0x102030],
  ],
  ["24 bit is packed", 24, [0x03, 0x02, 0x01, 0x30, 0x20, 0x10], [0x010203, 0x102030]],
  ["565 expands to full range", 16, [0xff, 0xff, 0x00, 0xf8], [0xffffff, 0xff0000]],
  ["555 expands to full range", 15, [0xff, 0x7f, 0xe0, 0x03], [0xffffff, 0x00ff00]],
  ["8 bit goes through the palette", 8, [0x01, 0xff], [0x010001, 0xff00ff]],
])("%s", (_, bpp, bytes, expected) => {
  expect(row(bytes, bpp)).toEqual(expected);
});

test("the display start is in pixels, lines follow each other", () => {
  expect(row([9, 1, 2, 3, 4], 8, 1, 2, 1)).toEqual([0x030003, 0x040004]);
});

test("lines beyond the memory and depths that do not exist are black", () => {
  expect(row([1, 2, 3], 8, 2)).toEqual([0, 0]);
  expect(row([1, 2, 3, 4], 4)).toEqual([0, 0]);
});

const layer = (fields: Partial<V86VgaLayer>): V86VgaLayer => {
  // 4x2 pixels, red = index.
  const data = new Uint8ClampedArray(32).map((_, at) => (at % 4 === 0 ? at / 4 : 0));
  return {
    image_data: { data, width: 4, height: 2 },
    screen_x: 0,
    screen_y: 0,
    buffer_x: 0,
    buffer_y: 0,
    buffer_width: 4,
    buffer_height: 2,
    ...fields,
  };
};

const planarRow = (layers: readonly V86VgaLayer[], y: number, width = 4): number[] => {
  const target = new Uint32Array(width).fill(0xdead);
  planarRows(layers, width)(y, target);
  return Array.from(target, (pixel) => pixel >> 16);
};

test("a layer is copied to its place and clipped", () => {
  expect(planarRow([layer({})], 1)).toEqual([4, 5, 6, 7]);
  expect(planarRow([layer({ screen_x: 1 })], 0)).toEqual([0, 0, 1, 2]);
  expect(planarRow([layer({ screen_x: -1 })], 0)).toEqual([1, 2, 3, 0]);
  expect(planarRow([layer({ screen_y: 1 })], 0)).toEqual([0, 0, 0, 0]);
  expect(planarRow([layer({ screen_y: 1 })], 1)).toEqual([0, 1, 2, 3]);
  expect(planarRow([layer({ buffer_y: 1, buffer_height: 9 })], 0)).toEqual([4, 5, 6, 7]);
  expect(planarRow([layer({ buffer_y: 1, buffer_height: 9 })], 1)).toEqual([0, 0, 0, 0]);
});

test("later layers cover earlier ones, a blanked screen is black", () => {
  expect(planarRow([layer({}), layer({ screen_x: 2, buffer_y: 1 })], 0)).toEqual([0, 1, 4, 5]);
  expect(planarRow([], 0)).toEqual([0, 0, 0, 0]);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SCANOUT_BAND_ROWS } from "../limits.ts";
import { ScreenFrame } from "./screen-frame.ts";
import type { RowReader } from "./screen-frame.ts";

const reader =
  (picture: Uint32Array, width: number): RowReader =>
  (y, row) =>
    row.set(picture.subarray(y * width, (y + 1) * width));

const pictureOf = (width: number, height: number) =>
  fc.uint32Array({ minLength: width * height, maxLength: width * height, min: 0, max: 2 });

test("after an update the frame is the picture, and every changed pixel lies in a rectangle", () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 * SCANOUT_BAND_ROWS }));
  const cases = sizes.chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      before: pictureOf(width, height),
      after: pictureOf(width, height),
    }),
  );
  fc.assert(
    fc.property(cases, ({ width, height, before, after }) => {
      const frame = new ScreenFrame(width, height);
      frame.update(reader(before, width));
      expect(frame.pixels).toEqual(before);
      const client = before.slice();
      for (const rectangle of frame.update(reader(after, width))) {
        const bytes = new Uint32Array(frame.bytes(rectangle).buffer);
        const across = rectangle.right - rectangle.left;
        for (let y = rectangle.top; y < rectangle.bottom; y++) {
          const start = (y - rectangle.top) * across;
          client.set(bytes.subarray(start, start + across), y * width + rectangle.left);
        }
      }
      expect(client).toEqual(after);
    }),
  );
});

test("an unchanged picture gives no rectangle, one pixel gives exactly itself", () => {
  const frame = new ScreenFrame(40, 40);
  const picture = new Uint32Array(1600);
  expect(frame.update(reader(picture, 40))).toEqual([]);
  picture[17 * 40 + 5] = 1;
  expect(frame.update(reader(picture, 40))).toEqual([{ top: 17, left: 5, bottom: 18, right: 6 }]);
});

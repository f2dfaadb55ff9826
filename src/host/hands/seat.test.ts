import fc from "fast-check";
import { expect, test } from "vitest";
import { devicePixelsPerGuestPixel, fitScreen, guestPoint } from "../screen-fit.ts";
import { Seat, seatSize } from "./seat.ts";

const ratios = fc.constantFrom(1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3);

test("a guest that follows fills its room, pixel on pixel, on every screen", () => {
  const side = (min: number) => fc.integer({ min, max: 1600 });
  fc.assert(
    fc.property(side(700), side(500), ratios, (width, height, devicePixelRatio) => {
      const room = { width, height };
      const size = seatSize({ ...room, devicePixelRatio })!;
      if (size.width <= 640 || size.height <= 480 || size.width * size.height > 4_000_000) return;
      const fit = fitScreen(size, room, devicePixelRatio);
      const per = devicePixelsPerGuestPixel(devicePixelRatio);
      expect(fit.scale * devicePixelRatio).toBeCloseTo(per, 6);
      // What is left is less than a step of Linux's modes, and a pixel below.
      expect((room.width - fit.width) * devicePixelRatio).toBeLessThan(8 * per);
      expect((room.height - fit.height) * devicePixelRatio).toBeLessThan(per);
    }),
  );
});

test.each([
  [1, { width: 1920, height: 1080 }],
  [1.25, { width: 2400, height: 1350 }],
  [2, { width: 1920, height: 1080 }],
  [3, { width: 1920, height: 1080 }],
])("1920 by 1080 CSS pixels at %s device pixels each", (devicePixelRatio, expected) => {
  expect(seatSize({ width: 1920, height: 1080, devicePixelRatio })).toEqual(expected);
});

test("rooms that are no use, too small or too large", () => {
  expect(seatSize({ width: 0, height: 10, devicePixelRatio: 1 })).toBeUndefined();
  expect(seatSize({ width: 300, height: 200, devicePixelRatio: 1 })).toEqual({ width: 640, height: 480 });
  const large = seatSize({ width: 7680, height: 4320, devicePixelRatio: 1 })!;
  expect(large.width * large.height).toBeLessThanOrEqual(2560 * 1600);
  expect(large.width / large.height).toBeCloseTo(16 / 9, 1);
});

test("a picture that fills its room touches it, and stays exact where that is nearly as large", () => {
  const fit = fitScreen({ width: 720, height: 400 }, { width: 1920, height: 1080 }, 1, true);
  expect(fit.width).toBeCloseTo(1920);
  expect(fitScreen({ width: 640, height: 360 }, { width: 1921, height: 1081 }, 1, true).scale).toBe(3);
});

test("the guest's pixel under the pointer is the one shown there, at every scale", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      ratios,
      fc.double({ min: 0.3, max: 3, noNaN: true }),
      (width, ratio, scale) => {
        const guest = { width, height: 100 };
        for (const per of [scale, devicePixelsPerGuestPixel(ratio) / ratio]) {
          const shown = { width: width * per, height: 100 * per };
          for (const pixel of [0, Math.floor(width / 3), width - 1]) {
            // Its edge, where a device pixel may begin, and its middle.
            expect(guestPoint({ x: pixel * per, y: 0 }, shown, guest).x).toBe(pixel);
            expect(guestPoint({ x: (pixel + 0.5) * per, y: 0 }, shown, guest).x).toBe(pixel);
          }
        }
      },
    ),
  );
});

test("asks once the room rests, when the machine begins to run, and never twice for the same", () => {
  const wants: string[] = [];
  let timer: (() => void) | undefined;
  const settle = () => {
    timer?.();
    timer = undefined;
  };
  using seat = new Seat({
    setTimer: (callback) => (timer = callback),
    clearTimer: () => (timer = undefined),
    want: ({ width, height }) => void wants.push(`${width}x${height}`),
  });
  const room = (width: number) => seat.room({ width, height: 700, devicePixelRatio: 1 });
  room(800);
  settle();
  expect(wants).toEqual([]);
  seat.update(true, true);
  settle();
  for (let width = 800; width <= 1000; width++) room(width);
  settle();
  room(1001);
  settle();
  expect(wants).toEqual(["800x700", "1000x700"]);
  // Another client has changed the size since: nothing here has, so it stays.
  seat.update(true, true);
  settle();
  expect(wants).toHaveLength(2);
  seat.update(true, false);
  room(900);
  settle();
  expect(wants).toHaveLength(2);
  seat.update(true, true);
  settle();
  seat.update(false, true);
  seat.update(true, true);
  settle();
  expect(wants.slice(2)).toEqual(["896x700", "896x700"]);
});

import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Rect, RedDrawOperation, RedDrawable, RedImage } from "../protocol/red-command.ts";
import { drawableArea } from "./draw-area.ts";
import { drawing } from "./draw.ts";
import { BitmapFmt, SurfaceFmt } from "./formats.ts";
import { cloneSurface, makeSurface } from "./model.testing.ts";
import type { RasterSurface } from "./surface.ts";
import { CostMeter, finish, unlimited } from "./work.ts";

const WIDTH = 37;
const HEIGHT = 31;
const OWN: RedImage = { kind: "surface", surfaceId: 0, width: WIDTH, height: HEIGHT };
const data = new Uint8Array(4096).map((_, i) => Math.imul(i + 1, 2_654_435_761) >>> 23);

const anyRect = fc
  .record({ left: fc.integer({ min: -6, max: 36 }), top: fc.integer({ min: -6, max: 30 }) })
  .chain(({ left, top }) =>
    fc
      .record({ w: fc.integer({ min: 1, max: 44 }), h: fc.integer({ min: 1, max: 40 }) })
      .map(({ w, h }): Rect => ({ top, left, bottom: top + h, right: left + w })),
  );
const mask = fc.option(
  fc.record({
    inverse: fc.boolean(),
    pos: fc.record({ x: fc.nat(4), y: fc.nat(4) }),
    bitmap: fc.constant<RedImage>({
      kind: "bitmap",
      id: 0n,
      cacheMe: false,
      format: BitmapFmt.Bit1Be,
      width: 44,
      height: 44,
      stride: 8,
      topDown: true,
      data: { offset: 0, length: 8 * 44 },
    }),
  }),
  { nil: undefined },
);
const scaleMode = fc.constantFrom(0, 1);
const brush = fc.constant({ type: "solid", color: 0x37_55_aa } as const);

/** Pictures of the surface itself: moved, grown, shrunk, and nearly not changed, which crosses the row that stays where it is. */
function operationOn(bbox: Rect): fc.Arbitrary<RedDrawOperation> {
  const [w, h] = [bbox.right - bbox.left, bbox.bottom - bbox.top];
  const near = fc
    .record({
      x: fc.integer({ min: -3, max: 3 }),
      y: fc.integer({ min: -3, max: 3 }),
      w: fc.integer({ min: -2, max: 2 }),
      h: fc.integer({ min: -2, max: 2 }),
    })
    .map((d): Rect => {
      const [left, top] = [bbox.left + d.x, bbox.top + d.y];
      return { top, left, bottom: top + Math.max(1, h + d.h), right: left + Math.max(1, w + d.w) };
    });
  const src = { src: fc.constant(OWN), srcArea: fc.oneof(near, anyRect) };
  const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
  const rop = fc.constantFrom(8, 0x20, 0x40, 0x10);
  return fc.oneof(
    fc.record({ type: fc.constantFrom("copy" as const, "blend" as const), ...src, rop, scaleMode, mask }),
    fc.record({ type: type("opaque"), ...src, brush, rop, scaleMode, mask }),
    fc.record({ type: type("rop3"), ...src, brush, rop3: fc.nat(255), scaleMode, mask }),
    fc.record({ type: type("transparent"), ...src, srcColor: fc.nat(), trueColor: fc.nat(0xff_ffff) }),
    fc.record({ type: type("alphaBlend"), flags: fc.nat(3), alpha: fc.nat(255), ...src }),
  );
}

const anyDrawable = fc
  .tuple(anyRect, fc.option(fc.array(anyRect, { maxLength: 6 }), { nil: undefined }))
  .chain(([bbox, clip]) =>
    operationOn(bbox).map((operation): RedDrawable => ({
      type: "draw",
      surfaceId: 0,
      effect: 1,
      mmTime: 0,
      bbox,
      clip,
      operation,
    })),
  );

const anySurface = fc
  .record({
    format: fc.constantFrom(...Object.values(SurfaceFmt).filter((one) => one !== SurfaceFmt.Invalid)),
    bottomUp: fc.boolean(),
    shift: fc.nat(4),
    seed: fc.integer({ min: 1, max: 99 }),
  })
  .map(({ format, ...rest }) => makeSurface(WIDTH, HEIGHT, format, rest));

/** Draws with `own` as the operation's picture, and calls `aside` whenever it is laid aside. */
function drawWith(
  target: RasterSurface,
  drawable: RedDrawable,
  own: RasterSurface,
  meter: CostMeter,
  aside?: () => void,
): void {
  const area = finish(drawableArea(drawable, target, unlimited()));
  if (area === undefined) return;
  const steps = drawing(target, drawable, { data, surface: () => own }, area, meter);
  while (steps.next().done !== true) aside?.();
}

it("a surface drawn on itself is drawn as if it were another one with the same pixels, wherever it is cut", () => {
  fc.assert(
    fc.property(
      anySurface,
      anyDrawable,
      fc.constantFrom(1, 300, 20_000),
      fc.nat(400),
      (before, drawable, band, slice) => {
        const wanted = cloneSurface(before);
        drawWith(wanted, drawable, cloneSurface(before), unlimited());
        const target = cloneSurface(before);
        const meter = new CostMeter(slice, band);
        drawWith(target, drawable, target, meter, () => (meter.left = slice));
        expect(Buffer.compare(target.bytes, wanted.bytes)).toBe(0);
      },
    ),
    { numRuns: 6000 },
  );
});

it("no copy of the surface is made for it", () => {
  const side = 2048;
  const target = makeSurface(side, side, SurfaceFmt.Xrgb32);
  const bbox = { top: 0, left: 0, bottom: side, right: side };
  const srcArea = { top: 100, left: 0, bottom: side / 2, right: side };
  const src: RedImage = { kind: "surface", surfaceId: 0, width: side, height: side };
  const held = () => process.memoryUsage().arrayBuffers;
  const before = held();
  for (const mode of [0, 1]) {
    const operation: RedDrawOperation = { type: "copy", src, srcArea, rop: 8, scaleMode: mode };
    const drawable: RedDrawable = { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox, operation };
    const meter = new CostMeter(1e6, 1e5);
    let most = 0;
    drawWith(target, drawable, target, meter, () => {
      meter.left = 1e6;
      most = Math.max(most, held() - before);
    });
    expect(most).toBeLessThan(target.bytes.length / 8);
  }
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  Rect,
  RedBrush,
  RedDrawOperation,
  RedDrawable,
  RedImage,
  RedMask,
} from "../protocol/red-command.ts";
import { bitmap } from "./bitmap.testing.ts";
import { ClipSweep } from "./clip-sweep.ts";
import { DrawArea, drawableArea } from "./draw-area.ts";
import { drawDrawable, drawSmall, drawing } from "./draw.ts";
import { BitmapFmt, SurfaceFmt, bitmapBits } from "./formats.ts";
import { MAX_REGION_RECTS, SMALL_CLIP_RECTS } from "./limits.ts";
import { cloneSurface, makeSurface } from "./model.testing.ts";
import { Region } from "./region.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";
import { CostMeter, finish, unlimited } from "./work.ts";

const WIDTH = 41;
const HEIGHT = 33;
const formats = Object.values(SurfaceFmt).filter((one) => one !== SurfaceFmt.Invalid);
const data = new Uint8Array(20_000).map((_, i) => Math.imul(i + 1, 2_654_435_761) >>> 23);

const anyRect = fc
  .record({
    left: fc.integer({ min: -5, max: 40 }),
    top: fc.integer({ min: -5, max: 32 }),
    w: fc.nat(44),
    h: fc.nat(38),
  })
  .map(({ left, top, w, h }): Rect => ({ top, left, bottom: top + h, right: left + w }));
/** None, few, and more than are united pairwise. */
const anyClip = fc.oneof(
  fc.constant(undefined),
  fc.array(anyRect, { maxLength: 6 }),
  fc.array(anyRect, { minLength: SMALL_CLIP_RECTS + 1, maxLength: 2 * SMALL_CLIP_RECTS }),
  fc
    .record({ x: fc.integer({ min: 2, max: 5 }), y: fc.integer({ min: 2, max: 5 }) })
    .map(({ x, y }) => lattice(x, y)),
);
const point = fc.record({ x: fc.integer({ min: -4, max: 40 }), y: fc.integer({ min: -4, max: 32 }) });

/** Crossed stripes: N rectangles whose union has some N * N / 4. */
function lattice(everyX: number, everyY: number, width = WIDTH, height = HEIGHT): Rect[] {
  const rects: Rect[] = [];
  for (let x = 0; x < width; x += everyX) rects.push({ top: 0, left: x, bottom: height, right: x + 1 });
  for (let y = 0; y < height; y += everyY) rects.push({ top: y, left: 0, bottom: y + 1, right: width });
  return rects;
}

function bitmapOf(allowed: readonly number[]): fc.Arbitrary<RedImage> {
  return fc
    .record({
      format: fc.constantFrom(...allowed),
      width: fc.integer({ min: 1, max: 44 }),
      height: fc.integer({ min: 1, max: 36 }),
      offset: fc.nat(3000),
      topDown: fc.boolean(),
    })
    .map(({ format, width, height, offset, topDown }) => {
      const stride = Math.ceil((width * bitmapBits(format)) / 8) + (width & 3);
      const entries = Array.from({ length: 256 }, (_, i) => Math.imul(i, 0x01_05_07) & 0xff_ffff);
      const palette = format <= 5 ? { unique: 0n, entries } : undefined;
      return bitmap(format, width, height, stride, offset, { topDown, palette });
    });
}

const surfaceImage = fc
  .integer({ min: 0, max: 2 })
  .map((surfaceId): RedImage => ({ kind: "surface", surfaceId, width: WIDTH, height: HEIGHT }));
const quicImage = fc.constant<RedImage>({
  kind: "quic",
  id: 0n,
  cacheMe: false,
  width: 30,
  height: 20,
  data: { offset: 40, length: 2400 },
});
const image = fc.oneof(
  bitmapOf(Object.values(BitmapFmt).filter((one) => one !== BitmapFmt.Invalid)),
  surfaceImage,
  quicImage,
);
const brush: fc.Arbitrary<RedBrush> = fc.oneof(
  fc.constant<RedBrush>({ type: "none" }),
  fc.nat(0xff_ffff).map((color): RedBrush => ({ type: "solid", color })),
  fc.record({ type: fc.constant("pattern" as const), image, pos: point }),
);
const mask: fc.Arbitrary<RedMask | undefined> = fc.option(
  fc.record({ inverse: fc.boolean(), pos: point, bitmap: fc.oneof(bitmapOf([1, 2]), surfaceImage) }),
  { nil: undefined, freq: 2 },
);
const rop = fc.nat(0x7ff);
const scaleMode = fc.constantFrom(0, 1);

function operationOn(bbox: Rect): fc.Arbitrary<RedDrawOperation> {
  const unscaled = fc.record({ x: fc.nat(8), y: fc.nat(8) }).map(({ x, y }) => ({
    top: y,
    left: x,
    bottom: y + bbox.bottom - bbox.top,
    right: x + bbox.right - bbox.left,
  }));
  const src = { src: image, srcArea: fc.oneof(unscaled, anyRect) };
  const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
  return fc.oneof(
    fc.record({ type: type("fill"), brush, rop, mask }),
    fc.record({ type: fc.constantFrom("copy" as const, "blend" as const), ...src, rop, scaleMode, mask }),
    fc.record({ type: type("copyBits"), src: point }),
    fc.record({ type: fc.constantFrom("blackness" as const, "whiteness" as const, "invers" as const), mask }),
    fc.record({ type: type("opaque"), ...src, brush, rop, scaleMode, mask }),
    fc.record({ type: type("rop3"), ...src, brush, rop3: fc.nat(255), scaleMode, mask }),
    fc.record({ type: type("transparent"), ...src, srcColor: fc.nat(), trueColor: fc.nat(0xff_ffff) }),
    fc.record({ type: type("alphaBlend"), flags: fc.nat(3), alpha: fc.nat(255), ...src }),
  );
}

const anyDrawable = fc.tuple(anyRect, anyClip).chain(([bbox, clip]) =>
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
    format: fc.constantFrom(...formats),
    bottomUp: fc.boolean(),
    shift: fc.nat(4),
    seed: fc.integer({ min: 1, max: 99 }),
  })
  .map(({ format, ...rest }) => makeSurface(WIDTH, HEIGHT, format, rest));

/** Surface 0 is the target itself, 1 is another one, 2 a mask. */
function sourceFor(target: RasterSurface): RasterSource {
  const others = [
    target,
    makeSurface(WIDTH, HEIGHT, target.format, { seed: 7 }),
    makeSurface(WIDTH, HEIGHT, 1, { seed: 9 }),
  ];
  return {
    data,
    surface: (id) => others[id],
    *quic(_image, bytes) {
      for (let y = 0; y < 20; y++) yield 30;
      return {
        bytes,
        offset: 0,
        stride: 120,
        width: 30,
        height: 20,
        format: BitmapFmt.Bit32,
        topDown: true,
      };
    },
  };
}

/** The surface, whose memory moves whenever the drawing is laid aside. */
function moving(surface: RasterSurface): { readonly surface: RasterSurface; move(): void } {
  let bytes = surface.bytes;
  return {
    surface: {
      ...surface,
      get bytes() {
        return bytes;
      },
    },
    move() {
      const moved = bytes.slice();
      bytes.fill(0xa5);
      bytes = moved;
    },
  };
}

describe("a drawing in bands", () => {
  it("leaves the same pixels as one at once, wherever it is cut, while its memory moves", () => {
    let laidAside = 0;
    fc.assert(
      fc.property(
        anySurface,
        anyDrawable,
        fc.constantFrom(1, 60, 300, 2000, 20_000),
        fc.nat(400),
        (target, drawable, band, slice) => {
          const atOnce = cloneSurface(target);
          drawDrawable(atOnce, drawable, sourceFor(atOnce));
          const { surface, move } = moving(cloneSurface(target));
          const meter = new CostMeter(slice, band);
          const area = finish(drawableArea(drawable, surface, meter));
          if (area !== undefined) {
            const steps = drawing(surface, drawable, sourceFor(surface), area, meter);
            while (steps.next().done !== true) {
              laidAside++;
              meter.left = slice;
              move();
            }
          }
          expect(Buffer.compare(surface.bytes, atOnce.bytes)).toBe(0);
        },
      ),
      { numRuns: 1500 },
    );
    expect(laidAside).toBeGreaterThan(300);
  });

  it("leaves the same pixels as a small one, which is drawn at once or not at all", () => {
    let small = 0;
    fc.assert(
      fc.property(anySurface, anyDrawable, fc.constantFrom(500, 5000, 1e6), (target, drawable, band) => {
        const whole = cloneSurface(target);
        drawDrawable(whole, drawable, sourceFor(whole));
        const now = cloneSurface(target);
        const meter = new CostMeter(1e9, band);
        const area = finish(drawableArea(drawable, now, unlimited()));
        const done = area === undefined || drawSmall(now, drawable, sourceFor(now), area, meter);
        expect(Buffer.compare(now.bytes, done ? whole.bytes : target.bytes)).toBe(0);
        expect(1e9 - meter.left).toBeLessThanOrEqual(band);
        if (done) small++;
      }),
      { numRuns: 1000 },
    );
    expect(small).toBeGreaterThan(100);
  });

  it("is laid aside as soon as the slice is used up, and after one band at most", () => {
    const side = 512;
    const target = makeSurface(side, side, SurfaceFmt.Xrgb32);
    const all = { top: 0, left: 0, bottom: side, right: side };
    const src = bitmap(BitmapFmt.Bit32, 2, 2, 8);
    const srcArea = { top: 0, left: 0, bottom: 2, right: 2 };
    const fill: RedDrawOperation = { type: "fill", brush: { type: "solid", color: 5 }, rop: 8 };
    const drawables: Pick<RedDrawable, "operation" | "clip">[] = [
      { operation: fill },
      { operation: fill, clip: lattice(2, 2, side, side) },
      { operation: { type: "copy", src, srcArea, rop: 8, scaleMode: 0 } },
      { operation: { type: "alphaBlend", flags: 0, alpha: 99, src, srcArea } },
      { operation: { type: "rop3", src, srcArea, brush: { type: "none" }, rop3: 0x5a, scaleMode: 0 } },
      { operation: { type: "copyBits", src: { x: 3, y: 3 } } },
    ];
    const [slice, band] = [40_000, 20_000];
    for (const drawable of drawables) {
      const meter = new CostMeter(slice, band);
      const whole: RedDrawable = { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox: all, ...drawable };
      const area = finish(drawableArea(whole, target, unlimited())) ?? new DrawArea(all, Region.empty);
      const steps = drawing(target, whole, { data, surface: () => undefined }, area, meter);
      let slices = 1;
      while (steps.next().done !== true) {
        expect(meter.left).toBeLessThanOrEqual(0);
        // One row may be more than a band: here the interpolated ones.
        expect(meter.left).toBeGreaterThan(-2 * band);
        meter.left = slice;
        slices++;
      }
      expect(slices).toBeGreaterThan((side * side) / (slice + 2 * band));
    }
  });
});

describe("a fine clip", () => {
  it("covers the same pixels as the union of its rectangles, from either side", () => {
    fc.assert(
      fc.property(fc.array(anyRect, { maxLength: 90 }), anyRect, anyRect, (rects, frame, cut) => {
        const bounds = { ...frame, bottom: frame.bottom + 1, right: frame.right + 1 };
        const sweep = finish(ClipSweep.open(rects, bounds, unlimited()));
        const within = Region.rect(cut).intersect(Region.rect(bounds));
        const wanted = Region.union(rects).intersect(within);
        for (const upwards of [false, true]) {
          const found: Rect[] = [];
          const bands = sweep.bands(
            within.isEmpty ? { top: 0, left: 0, bottom: 0, right: 0 } : within.bounds(),
            upwards,
          );
          let edge = upwards ? Infinity : -Infinity;
          while (bands.next()) {
            const { boxes, first, last, top, bottom } = bands;
            expect(upwards ? bottom <= edge : top >= edge).toBe(true);
            edge = upwards ? top : bottom;
            for (let i = first; i < last; i += 4)
              found.push({ top, left: boxes[i], bottom, right: boxes[i + 2] });
          }
          expect(Region.union(found).equals(wanted)).toBe(true);
          expect(
            found.reduce((sum, { top, left, bottom, right }) => sum + (bottom - top) * (right - left), 0),
          ).toBe(wanted.area);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("may come as plain numbers", () => {
    fc.assert(
      fc.property(fc.array(anyRect, { maxLength: 90 }), anyRect, fc.nat(9), (rects, bbox, shift) => {
        const numbers = rects.flatMap(({ top, left, bottom, right }) => [top, left, bottom, right]);
        const bytes = new Uint8Array(Int32Array.from(numbers).buffer);
        const data = new Uint8Array(shift + bytes.length + 5);
        data.set(bytes, shift);
        const size = { width: WIDTH, height: HEIGHT };
        const clipData = { offset: shift, length: bytes.length };
        const area = finish(drawableArea({ bbox, clipData }, size, new CostMeter(1e9), data));
        const wanted = Region.rect({ top: 0, left: 0, bottom: HEIGHT, right: WIDTH })
          .intersect(Region.rect(bbox))
          .intersect(Region.union(rects));
        expect(area?.region?.equals(wanted) ?? wanted.isEmpty).toBe(true);
        // Numbers that are not there are no clip of anything.
        const beyond = { offset: data.length - 8, length: 16 };
        expect(
          finish(drawableArea({ bbox, clipData: beyond }, size, new CostMeter(1e9), data)),
        ).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("costs what its rectangles and the surface cost, not what their union has of boxes", () => {
    const cost = (clip: readonly Rect[], side: number): number => {
      const meter = new CostMeter(0, 1e9);
      const bbox = { top: 0, left: 0, bottom: side, right: side };
      const area = finish(drawableArea({ bbox, clip }, { width: side, height: side }, meter));
      const bands = area?.bands(false);
      while (bands?.next() === true) meter.spend(bands.cost);
      return -meter.left;
    };
    // A hundred thousand rectangles, each as large as the surface, and all of its lattice.
    const side = 1024;
    const stacked = Array.from({ length: 100_000 }, (_, i) => ({
      top: i & 15,
      left: i & 7,
      bottom: side,
      right: side - (i & 31),
    }));
    expect(cost(stacked, side)).toBeLessThan(100_000 * 200);
    expect(cost(lattice(2, 2, side, side), side)).toBeLessThan(side * side * 10);
  });

  it("is kept as a region up to the limit and drawn from the rectangles beyond it", () => {
    const area = (side: number): DrawArea | undefined =>
      finish(
        drawableArea(
          { bbox: { top: 0, left: 0, bottom: side, right: side }, clip: lattice(2, 2, side, side) },
          { width: side, height: side },
          unlimited(),
        ),
      );
    expect(area(40)?.region?.size).toBeLessThanOrEqual(MAX_REGION_RECTS);
    expect(area(40)?.region?.equals(Region.union(lattice(2, 2, 40, 40)))).toBe(true);
    expect(area(128)?.region).toBeUndefined();
    expect(area(128)?.bounds).toEqual({ top: 0, left: 0, bottom: 128, right: 128 });
  });
});

import * as fc from "fast-check";
import { rowBytes } from "../image/index.ts";
import type {
  Rect,
  RedBrush,
  RedCommand,
  RedDrawOperation,
  RedImage,
  RedMask,
} from "../protocol/red-command.ts";
import { bitmap } from "../raster/bitmap.testing.ts";
import { createSurface } from "./worker/red-worker.testing.ts";

/** Size of every surface that {@link arbitraryCommands} makes: small, so that drawings meet each other often. */
export const SIDE = 40;

/** Formats of the surfaces 0 to 3. */
export const SURFACE_FORMATS: readonly number[] = [32, 32, 96, 16];

/** Random bytes that every bitmap of the commands is cut from: half noise, half smooth. */
export const batchData = new Uint8Array(16_384).map((_, i) =>
  i < 8192 ? Math.imul(i + 1, 2_654_435_761) >>> 24 : (i >> 4) + (i & 3) * 5,
);

const side = fc.integer({ min: 1, max: SIDE });
const point = fc.record({ x: fc.integer({ min: 0, max: SIDE }), y: fc.integer({ min: 0, max: SIDE }) });

/** A rectangle that may stick out of the surface. */
const rect: fc.Arbitrary<Rect> = fc
  .record({
    left: fc.integer({ min: -3, max: SIDE }),
    top: fc.integer({ min: -3, max: SIDE }),
    width: side,
    height: side,
  })
  .map(({ left, top, width, height }) => ({ top, left, bottom: top + height, right: left + width }));

const clip = fc.option(fc.array(rect, { maxLength: 12 }), { nil: undefined, freq: 3 });
const surfaceId = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }) },
);

function arbitraryBitmap(formats: readonly number[]): fc.Arbitrary<RedImage> {
  return fc
    .record({
      format: fc.constantFrom(...formats),
      width: fc.integer({ min: SIDE, max: SIDE + 4 }),
      height: fc.integer({ min: SIDE, max: SIDE + 4 }),
      padding: fc.constantFrom(0, 0, 4),
      offset: fc.integer({ min: 0, max: 5000 }),
      broken: fc.constantFrom(...Array.from({ length: 20 }, () => ""), "offset", "length", "palette"),
      topDown: fc.boolean(),
      colors: fc.array(fc.integer({ min: 0, max: 0xffffff }), { minLength: 256, maxLength: 256 }),
    })
    .map(({ format, width, height, padding, offset, broken, topDown, colors }) => {
      const stride = rowBytes(format, width) + padding;
      const entries = colors.slice(0, broken === "palette" ? 1 : format <= 2 ? 2 : format <= 4 ? 16 : 256);
      const at = broken === "offset" ? batchData.length - 100 : offset;
      return bitmap(format, width, height, stride, at, {
        topDown,
        palette: format <= 5 ? { unique: 1n, entries } : undefined,
        ...(broken === "length" ? { data: { offset: at, length: 100 } } : {}),
      });
    });
}

/** Formats of the images 0 to 7 that guests use again and again. */
const CACHED_FORMATS: readonly number[] = [8, 9, 8, 6, 7, 5, 4, 9];

/** One of eight images that the guest wants cached, and now and then something else under an id of theirs. */
const cachedImage: fc.Arbitrary<RedImage> = fc
  .record({
    key: fc.integer({ min: 0, max: CACHED_FORMATS.length - 1 }),
    fraud: fc.constantFrom(
      ...Array.from({ length: 12 }, () => ""),
      "pixels",
      "size",
      "format",
      "rows",
      "palette",
      "flags",
    ),
  })
  .map(({ key, fraud }) => {
    const format = fraud === "format" ? 7 : CACHED_FORMATS[key];
    const width = SIDE + (key % 3);
    const height = SIDE + (fraud === "size" ? 3 : 0);
    const stride = rowBytes(format, width);
    const entries = Array.from({ length: 256 }, (_, i) => i * 0x010503 + (fraud === "palette" ? 7 : 0));
    return bitmap(format, width, height, stride, 600 * key + (fraud === "pixels" ? 4 : 0), {
      // Different only in the upper half.
      id: BigInt(key & 3) + (BigInt(key >> 2) << 32n) + 7n,
      cacheMe: true,
      highBitsSet: fraud === "flags",
      topDown: fraud !== "rows",
      palette: format <= 5 ? { unique: BigInt(key & 1), entries } : undefined,
    });
  });

const surfaceImage: fc.Arbitrary<RedImage> = surfaceId.map((id) => ({
  kind: "surface",
  surfaceId: id,
  width: SIDE,
  height: SIDE,
}));
const image = fc.oneof(
  { weight: 3, arbitrary: arbitraryBitmap([8, 8, 9]) },
  { weight: 1, arbitrary: arbitraryBitmap([2, 4, 5, 6, 7, 10]) },
  { weight: 2, arbitrary: surfaceImage },
  { weight: 3, arbitrary: cachedImage },
);
const color = fc.integer({ min: 0, max: 0xffffff });
const brush: fc.Arbitrary<RedBrush> = fc.oneof(
  { weight: 3, arbitrary: color.map((value): RedBrush => ({ type: "solid", color: value })) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("pattern" as const), image: arbitraryBitmap([8]), pos: point }),
  },
);
const rop = fc.oneof(
  { weight: 4, arbitrary: fc.constant(8) },
  fc.constantFrom(1 | 8, 16, 32, 64, 64 | 1024, 512),
);
const mask: fc.Arbitrary<RedMask | undefined> = fc.option(
  fc.record({ inverse: fc.boolean(), pos: point, bitmap: arbitraryBitmap([2]) }),
  { nil: undefined, freq: 5 },
);

/** A source area for a box: of its size (mostly), so that copies are not scaled. */
function sourceArea(bbox: Rect): fc.Arbitrary<Rect> {
  const width = bbox.right - bbox.left;
  const height = bbox.bottom - bbox.top;
  const unscaled = fc
    .record({
      left: fc.integer({ min: 0, max: SIDE - width }),
      top: fc.integer({ min: 0, max: SIDE - height }),
    })
    .map(({ left, top }) => ({ top, left, bottom: top + height, right: left + width }));
  const whole = { top: 0, left: 0, bottom: SIDE, right: SIDE };
  return fc.oneof({ weight: 6, arbitrary: unscaled }, { weight: 1, arbitrary: fc.constant(whole) });
}

function operation(bbox: Rect): fc.Arbitrary<RedDrawOperation> {
  const src = { src: image, srcArea: sourceArea(bbox) };
  const scaleMode = fc.constantFrom(0, 1);
  const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: type("fill"), brush, rop, mask }) },
    { weight: 6, arbitrary: fc.record({ type: type("copy"), ...src, rop, scaleMode, mask }) },
    { weight: 4, arbitrary: fc.record({ type: type("copyBits"), src: point }) },
    fc.record({ type: fc.constantFrom("blackness" as const, "whiteness" as const, "invers" as const), mask }),
    fc.record({ type: type("opaque"), ...src, brush, rop, scaleMode, mask }),
    fc.record({ type: type("blend"), ...src, rop, scaleMode, mask }),
    fc.record({ type: type("rop3"), ...src, brush, rop3: fc.integer({ min: 0, max: 255 }), scaleMode, mask }),
    fc.record({ type: type("transparent"), ...src, srcColor: color, trueColor: color }),
    fc.record({
      type: type("alphaBlend"),
      flags: fc.constantFrom(0, 1),
      alpha: fc.integer({ min: 0, max: 255 }),
      ...src,
    }),
  );
}

const drawable: fc.Arbitrary<RedCommand> = fc
  .record({ surfaceId, bbox: rect, clip })
  .chain(({ surfaceId: id, bbox, clip: rects }) =>
    operation(bbox).map((chosen) => ({
      type: "draw",
      surfaceId: id,
      effect: 1,
      mmTime: 0,
      bbox,
      clip: rects,
      operation: chosen,
    })),
  );

const lifeCycle: fc.Arbitrary<RedCommand> = surfaceId.chain((id) =>
  fc.constantFrom<RedCommand>(
    { type: "surfaceDestroy", surfaceId: id },
    createSurface(id, SIDE, SIDE, SURFACE_FORMATS[id]),
    createSurface(0, SIDE, SIDE),
  ),
);

const command = fc.oneof({ weight: 12, arbitrary: drawable }, { weight: 1, arbitrary: lifeCycle });

/** What a guest might draw: mostly sensible, on surfaces that come and go. Data is {@link batchData}. */
export const arbitraryCommands: fc.Arbitrary<RedCommand[]> = fc.array(command, {
  maxLength: 40,
  size: "max",
});

/** More of the primary than a pipe holds. */
export const manyCommands: fc.Arbitrary<RedCommand[]> = fc.array(
  fc.oneof({ weight: 40, arbitrary: drawable }, { weight: 1, arbitrary: lifeCycle }),
  { minLength: 150, maxLength: 250, size: "max" },
);

/** All four surfaces, at the start. */
export const createAll: readonly RedCommand[] = SURFACE_FORMATS.map((format, id) =>
  createSurface(id, SIDE, SIDE, format),
);

/** Most of a surface, or any part of it. */
const largeRect: fc.Arbitrary<Rect> = fc
  .record({ left: fc.integer({ min: -3, max: 8 }), top: fc.integer({ min: -3, max: 8 }), less: fc.nat(12) })
  .map(({ left, top, less }) => ({ top, left, bottom: top + SIDE - less, right: left + SIDE }));
const cachedRect = fc.oneof({ weight: 3, arbitrary: largeRect }, { weight: 1, arbitrary: rect });

const seldomClip = fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: clip });

/** An unscaled copy of an image that the guest wants cached. */
const cachedCopy: fc.Arbitrary<RedCommand> = fc
  .record({
    surfaceId: fc.constantFrom(0, 0, 0, 0, 1, 2),
    bbox: cachedRect,
    clip: seldomClip,
    src: cachedImage,
  })
  .chain(({ surfaceId: id, bbox, clip: rects, src }) =>
    sourceArea(bbox).map((srcArea): RedCommand => {
      const operation = { type: "copy", src, srcArea, rop: 8, scaleMode: 0 } as const;
      return { type: "draw", surfaceId: id, effect: 1, mmTime: 0, bbox, clip: rects, operation };
    }),
  );

/** Mostly {@link cachedCopy}, with other drawings and device resets between. */
function cachingCommands(minLength: number, maxLength: number): fc.Arbitrary<RedCommand[]> {
  const some = fc.oneof(
    { weight: 40, arbitrary: cachedCopy.map((one) => [one]) },
    { weight: 10, arbitrary: drawable.map((one) => [one]) },
    { weight: 1, arbitrary: lifeCycle.map((one) => [one]) },
    { weight: 1, arbitrary: fc.constant<RedCommand[]>([{ type: "reset" }, ...createAll]) },
  );
  return fc.array(some, { minLength, maxLength, size: "max" }).map((commands) => commands.flat());
}

/** What a guest that caches its images might draw. */
export const arbitraryCachingCommands = cachingCommands(20, 60);

/** More of that than a pipe holds. */
export const manyCachingCommands = cachingCommands(150, 250);

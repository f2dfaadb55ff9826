import { array, assert, boolean, constantFrom, integer, nat, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rect, RedBitmap, RedDrawOperation, RedImage, RedMask } from "../protocol/red-command.ts";
import { bitmap } from "./bitmap.testing.ts";
import { drawDrawable } from "./draw.ts";
import { BitmapFmt, SurfaceFmt, surfaceBits } from "./formats.ts";
import { cloneSurface, forEachPixel, getPixel, makeSurface, setPixel } from "./model.testing.ts";
import { Rop, Ropd, applyRop, applyRop3, ropFromDescriptor, ropReadsDest } from "./rop.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";
import { isValidSurface } from "./surface.ts";

const NOTHING: RasterSource = { data: new Uint8Array(0), surface: () => undefined };
const formats = Object.values(SurfaceFmt).filter((one) => one !== SurfaceFmt.Invalid);
const anyRect = record({
  left: integer({ min: -6, max: 40 }),
  top: integer({ min: -6, max: 30 }),
  w: nat(30),
  h: nat(20),
}).map(({ left, top, w, h }): Rect => ({ left, top, right: left + w, bottom: top + h }));
const anyClip = option(array(anyRect, { maxLength: 5 }), { nil: undefined });
const anySurface = record({
  format: constantFrom(...formats),
  bottomUp: boolean(),
  shift: nat(5),
  pad: nat(5),
  seed: integer({ min: 1, max: 1000 }),
}).map(({ format, ...rest }) => makeSurface(37, 23, format, rest));

function draw(
  target: RasterSurface,
  operation: RedDrawOperation,
  bbox: Rect,
  source: RasterSource = NOTHING,
  clip?: readonly Rect[],
): void {
  drawDrawable(target, { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox, clip, operation }, source);
}

/** All memory equal: nothing was drawn where it should not, padding included. */
function expectSame(target: RasterSurface, model: RasterSurface): void {
  expect(Buffer.compare(target.bytes, model.bytes)).toBe(0);
}

function surfaceImage(surfaceId: number, { width, height }: RasterSurface): RedImage {
  return { kind: "surface", surfaceId, width, height };
}

function bitmapOf(
  format: number,
  width: number,
  height: number,
  data: Uint8Array,
  more?: Partial<RedBitmap>,
) {
  return bitmap(format, width, height, data.length / height, 0, more);
}

describe("rops", () => {
  it("follow from the descriptor as Boolean algebra says", () => {
    assert(
      property(nat(0x7ff), nat(1), nat(1), (descriptor, s, d) => {
        const rop = ropFromDescriptor(descriptor, Ropd.InversSrc, Ropd.InversDest);
        const source = descriptor & Ropd.InversSrc ? 1 - s : s;
        const dest = descriptor & Ropd.InversDest ? 1 - d : d;
        const invert = descriptor & Ropd.InversRes ? 1 : 0;
        const results: [number, number][] = [
          [Ropd.OpPut, source ^ invert],
          [Ropd.OpOr, (source | dest) ^ invert],
          [Ropd.OpAnd, (source & dest) ^ invert],
          [Ropd.OpXor, source ^ dest ^ invert],
          [Ropd.OpBlackness, 0],
          [Ropd.OpWhiteness, 1],
          [Ropd.OpInvers, 1 - d],
          [0xffff, s],
        ];
        const [, expected] = results.find(([bit]) => descriptor & bit || bit === 0xffff) ?? [0, 0];
        expect((rop >> (2 * s + d)) & 1).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("apply their truth tables to every bit, all sixteen and all 256", () => {
    const s = Uint32Array.of(0b0011_0101, 0xffff_0000);
    const d = Uint32Array.of(0b0101_0110, 0xff00_ff00);
    const p = Uint32Array.of(0b0000_1111, 0xf0f0_f0f0);
    const bitOf = (table: number, ...inputs: number[]) =>
      (table >>> inputs.reduce((at, bit) => 2 * at + bit, 0)) & 1;
    for (let rop = 0; rop < 256; rop++) {
      const dest3 = d.slice();
      applyRop3(rop, p, s, dest3, 2);
      const source = s.slice();
      if (rop < 16) applyRop(rop as Rop, source, d, 2);
      for (let i = 0; i < 64; i++) {
        const [sb, db, pb] = [s, d, p].map((row) => (row[i >> 5] >>> (i & 31)) & 1);
        expect((dest3[i >> 5] >>> (i & 31)) & 1).toBe(bitOf(rop, pb, sb, db));
        if (rop < 16) expect((source[i >> 5] >>> (i & 31)) & 1).toBe(bitOf(rop, sb, db));
      }
      if (rop < 16) {
        expect(ropReadsDest(rop as Rop)).toBe(
          bitOf(rop, 0, 0) !== bitOf(rop, 0, 1) || bitOf(rop, 1, 0) !== bitOf(rop, 1, 1),
        );
      }
    }
  });
});

describe("fill", () => {
  it("puts a colour on every pixel of box and clip and on no other", () => {
    assert(
      property(
        anySurface,
        anyRect,
        anyClip,
        constantFrom(0, 0x80ff_1234, 0x5555_5555),
        (target, bbox, clip, color) => {
          const model = cloneSurface(target);
          forEachPixel(model, bbox, clip, (x, y) => setPixel(model, x, y, color));
          draw(
            target,
            { type: "fill", brush: { type: "solid", color }, rop: Ropd.OpPut },
            bbox,
            NOTHING,
            clip,
          );
          expectSame(target, model);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("combines with what is there, with brush, with no brush", () => {
    assert(
      property(anySurface, anyRect, anyClip, nat(0x7ff), boolean(), (target, bbox, clip, rop, withBrush) => {
        const model = cloneSurface(target);
        const table = ropFromDescriptor(rop, Ropd.InversBrush, Ropd.InversDest);
        const color = withBrush ? 0x1234_5678 : 0;
        forEachPixel(model, bbox, clip, (x, y) => {
          const row = Uint32Array.of(color);
          applyRop(table, row, Uint32Array.of(getPixel(model, x, y)), 1);
          setPixel(model, x, y, row[0]);
        });
        const brush = withBrush ? ({ type: "solid", color } as const) : ({ type: "none" } as const);
        draw(target, { type: "fill", brush, rop }, bbox, NOTHING, clip);
        expectSame(target, model);
      }),
      { numRuns: 300 },
    );
  });

  it("tiles a pattern from an origin anywhere", () => {
    const tile = makeSurface(5, 3, SurfaceFmt.Xrgb32);
    const source = { data: new Uint8Array(0), surface: () => tile };
    assert(
      property(anyRect, integer({ min: -50, max: 50 }), integer({ min: -50, max: 50 }), (bbox, x0, y0) => {
        const target = makeSurface(37, 23, SurfaceFmt.Xrgb32);
        const model = cloneSurface(target);
        const modulo = (value: number, by: number) => ((value % by) + by) % by;
        forEachPixel(model, bbox, undefined, (x, y) =>
          setPixel(model, x, y, getPixel(tile, modulo(x - x0, 5), modulo(y - y0, 3))),
        );
        const brush = { type: "pattern", image: surfaceImage(1, tile), pos: { x: x0, y: y0 } } as const;
        draw(target, { type: "fill", brush, rop: Ropd.OpPut }, bbox, source);
        expectSame(target, model);
      }),
    );
  });

  it("draws BLACKNESS, WHITENESS and INVERS", () => {
    for (const format of formats) {
      const target = makeSurface(9, 9, format, { pad: 4 });
      const bbox = { top: 1, left: 1, bottom: 8, right: 8 };
      const white = 2 ** surfaceBits(format) - 1;
      const before = getPixel(target, 4, 4);
      draw(target, { type: "invers" }, bbox);
      expect(getPixel(target, 4, 4)).toBe((white - before) % 2 ** 32);
      draw(target, { type: "whiteness" }, bbox);
      expect(getPixel(target, 4, 4)).toBe(white);
      draw(target, { type: "blackness" }, bbox);
      expect(getPixel(target, 4, 4)).toBe(0);
    }
  });
});

describe("masks", () => {
  it("draw where a bit is set, nothing beyond their edge, the opposite when inverse", () => {
    assert(
      property(
        anyRect,
        boolean(),
        boolean(),
        boolean(),
        integer({ min: -4, max: 9 }),
        (bbox, le, inverse, topDown, shift) => {
          const target = makeSurface(37, 23, SurfaceFmt.Xrgb32, { pad: 4 });
          const model = cloneSurface(target);
          const data = Uint8Array.from({ length: 3 * 11 }, (_, i) => (i * 89 + 7) & 255);
          const format = le ? BitmapFmt.Bit1Le : BitmapFmt.Bit1Be;
          const pos = { x: shift, y: 2 };
          const mask: RedMask = { inverse, pos, bitmap: bitmapOf(format, 20, 11, data, { topDown }) };
          forEachPixel(model, bbox, undefined, (x, y) => {
            const [mx, my] = [x - bbox.left + pos.x, y - bbox.top + pos.y];
            if (mx < 0 || my < 0 || mx >= 20 || my >= 11) return;
            const byte = data[(topDown ? my : 10 - my) * 3 + (mx >> 3)];
            const bit = (byte >> (le ? mx & 7 : 7 - (mx & 7))) & 1;
            if ((bit === 1) !== inverse) setPixel(model, x, y, 0xff00_ff00);
          });
          const brush = { type: "solid", color: 0xff00_ff00 } as const;
          draw(target, { type: "fill", brush, rop: Ropd.OpPut, mask }, bbox, { ...NOTHING, data });
          expectSame(target, model);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("that are no masks draw nothing", () => {
    const target = makeSurface(9, 9, SurfaceFmt.Xrgb32);
    const model = cloneSurface(target);
    const data = new Uint8Array(64);
    for (const wrong of [bitmapOf(BitmapFmt.Bit8, 8, 8, data), bitmapOf(BitmapFmt.Bit1Be, 80, 8, data)]) {
      const mask = { inverse: true, pos: { x: 0, y: 0 }, bitmap: wrong };
      draw(
        target,
        { type: "blackness", mask },
        { top: 0, left: 0, bottom: 9, right: 9 },
        { ...NOTHING, data },
      );
    }
    expectSame(target, model);
  });
});

const put = (src: RedImage, srcArea: Rect, rop: number = Ropd.OpPut, scaleMode = 0): RedDrawOperation => ({
  type: "copy",
  src,
  srcArea,
  rop,
  scaleMode,
});

describe("copy", () => {
  it("moves raw pixels between surfaces of one width, leaving what has no source", () => {
    assert(
      property(
        anySurface,
        anySurface,
        anyRect,
        anyClip,
        nat(20),
        nat(20),
        boolean(),
        (target, from, bbox, clip, sx, sy, xor) => {
          if (surfaceBits(target.format) !== surfaceBits(from.format)) return;
          const model = cloneSurface(target);
          forEachPixel(model, bbox, clip, (x, y) => {
            const [fx, fy] = [x - bbox.left + sx, y - bbox.top + sy];
            if (fx < 0 || fy < 0 || fx >= from.width || fy >= from.height) return;
            const value = getPixel(from, fx, fy);
            setPixel(model, x, y, xor ? (value ^ getPixel(model, x, y)) >>> 0 : value);
          });
          const srcArea = {
            left: sx,
            top: sy,
            right: sx + bbox.right - bbox.left,
            bottom: sy + bbox.bottom - bbox.top,
          };
          const operation = put(surfaceImage(1, from), srcArea, xor ? Ropd.OpXor : Ropd.OpPut);
          draw(target, operation, bbox, { ...NOTHING, surface: () => from }, clip);
          expectSame(target, model);
        },
      ),
      { numRuns: 600 },
    );
  });

  it("reads all before it writes when it copies from its own surface", () => {
    const target = makeSurface(37, 23, SurfaceFmt.Xrgb32);
    const model = cloneSurface(target);
    const from = cloneSurface(target);
    const bbox = { left: 3, top: 2, right: 33, bottom: 20 };
    forEachPixel(model, bbox, undefined, (x, y) => setPixel(model, x, y, getPixel(from, x - 3, y - 2)));
    const operation = put(surfaceImage(0, target), { left: 0, top: 0, right: 30, bottom: 18 });
    draw(target, operation, bbox, { ...NOTHING, surface: () => target });
    expectSame(target, model);
  });

  it("knows every bitmap format on every surface that the reference knows", () => {
    const entries = Array.from({ length: 256 }, (_, i) => (i * 0x01_03_05) & 0xff_ffff);
    const palette = { unique: 1n, entries };
    const from = (format: number, bytes: number[], extra: Partial<RedBitmap> = {}, width = 2) =>
      [bitmapOf(format, width, 1, Uint8Array.from(bytes), extra), Uint8Array.from(bytes)] as const;
    const cases: [readonly [RedBitmap, Uint8Array], number, number[]][] = [
      [from(BitmapFmt.Bit1Le, [0b01], { palette }), SurfaceFmt.Xrgb32, [entries[1], entries[0]]],
      [from(BitmapFmt.Bit1Be, [0b0100_0000], { palette }), SurfaceFmt.Xrgb32, [entries[0], entries[1]]],
      [from(BitmapFmt.Bit4Le, [0x21], { palette }), SurfaceFmt.Xrgb32, [entries[1], entries[2]]],
      [from(BitmapFmt.Bit4Be, [0x21], { palette }), SurfaceFmt.Xrgb32, [entries[2], entries[1]]],
      [from(BitmapFmt.Bit8, [7, 200], { palette }), SurfaceFmt.Argb32, [entries[7], entries[200]]],
      [from(BitmapFmt.Bit8, [7, 255], { palette: { unique: 1n, entries: [1] } }), SurfaceFmt.Xrgb32, [0, 0]],
      [from(BitmapFmt.Bit16, [0xff, 0x7f, 0x10, 0x42]), SurfaceFmt.Xrgb32, [0xffffff, 0x848484]],
      [from(BitmapFmt.Bit16, [0xff, 0x7f, 0x10, 0x42]), SurfaceFmt.Rgb555, [0x7fff, 0x4210]],
      [from(BitmapFmt.Bit16, [0xff, 0x7f, 0x10, 0x42]), SurfaceFmt.Rgb565, [0xffff, 0x8430]],
      [from(BitmapFmt.Bit24, [1, 2, 3, 4, 5, 6]), SurfaceFmt.Xrgb32, [0x030201, 0x060504]],
      [from(BitmapFmt.Bit32, [1, 2, 3, 4, 5, 6, 7, 8]), SurfaceFmt.Xrgb32, [0x04030201, 0x08070605]],
      [from(BitmapFmt.Rgba, [1, 2, 3, 4, 5, 6, 7, 8]), SurfaceFmt.Xrgb32, [0x04030201, 0x08070605]],
      [from(BitmapFmt.Rgba, [0xff, 0x80, 0x40, 9, 0, 0, 0, 0]), SurfaceFmt.Rgb555, [0x221f, 0]],
      [from(BitmapFmt.Bit32, [0xff, 0x80, 0x40, 9, 0, 0, 0, 0]), SurfaceFmt.Rgb565, [0x441f, 0]],
      [from(BitmapFmt.Bit8A, [9, 200]), SurfaceFmt.A8, [9, 200]],
      [from(BitmapFmt.Rgba, [1, 2, 3, 4, 5, 6, 7, 8]), SurfaceFmt.A8, [4, 8]],
      [from(BitmapFmt.Bit32, [1, 2, 3, 4, 5, 6, 7, 8]), SurfaceFmt.A8, [255, 255]],
      [from(BitmapFmt.Bit8A, [127, 128]), SurfaceFmt.A1, [0, 1]],
    ];
    const area = { top: 0, left: 0, bottom: 1, right: 2 };
    for (const [[image, data], format, expected] of cases) {
      const target = makeSurface(2, 1, format);
      draw(target, put(image, area), area, { ...NOTHING, data });
      expect({ from: image.format, to: format, pixels: [0, 1].map((x) => getPixel(target, x, 0)) }).toEqual({
        from: image.format,
        to: format,
        pixels: expected,
      });
    }
  });

  it("draws bitmaps whose memory holds the bottom row first", () => {
    const data = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);
    const target = makeSurface(1, 2, SurfaceFmt.Xrgb32);
    const area = { top: 0, left: 0, bottom: 2, right: 1 };
    draw(target, put(bitmapOf(BitmapFmt.Bit32, 1, 2, data, { topDown: false }), area), area, {
      ...NOTHING,
      data,
    });
    expect([getPixel(target, 0, 0), getPixel(target, 0, 1)]).toEqual([2, 1]);
  });

  it("scales to the nearest pixel, and interpolates with seven bits of weight", () => {
    const data = new Uint8Array(Uint32Array.of(0x000000, 0xff0000, 0x00ff00, 0xffffff).buffer);
    const image = bitmapOf(BitmapFmt.Bit32, 2, 2, data);
    const srcArea = { top: 0, left: 0, bottom: 2, right: 2 };
    const bbox = { top: 0, left: 0, bottom: 4, right: 4 };
    const nearest = makeSurface(4, 4, SurfaceFmt.Xrgb32);
    draw(nearest, put(image, srcArea, Ropd.OpPut, 1), bbox, { ...NOTHING, data });
    const row = (surface: RasterSurface, y: number) => [0, 1, 2, 3].map((x) => getPixel(surface, x, y));
    expect(row(nearest, 1)).toEqual([0, 0, 0xff0000, 0xff0000]);
    expect(row(nearest, 2)).toEqual([0x00ff00, 0x00ff00, 0xffffff, 0xffffff]);
    const smooth = makeSurface(4, 4, SurfaceFmt.Xrgb32);
    draw(smooth, put(image, srcArea, Ropd.OpPut, 0), bbox, { ...NOTHING, data });
    expect(row(smooth, 1)).toEqual([0, 1, 2, 3].map((x) => bilinear(x, 1)));
    expect(row(smooth, 0)).toEqual([0, 1, 2, 3].map((x) => bilinear(x, 0)));

    /** The definition, with black beyond the edges. */
    function bilinear(x: number, y: number): number {
      const words = new Uint32Array(data.buffer);
      const at = (px: number, py: number) => (px < 0 || py < 0 || px > 1 || py > 1 ? 0 : words[py * 2 + px]);
      const [fx, fy] = [(x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5];
      const [x0, y0] = [Math.floor(fx), Math.floor(fy)];
      const [wx, wy] = [Math.floor((fx - x0) * 128), Math.floor((fy - y0) * 128)];
      let value = 0;
      for (const shift of [0, 8, 16]) {
        const channel = (px: number, py: number) => (at(px, py) >> shift) & 255;
        const top = channel(x0, y0) * (128 - wx) + channel(x0 + 1, y0) * wx;
        const bottom = channel(x0, y0 + 1) * (128 - wx) + channel(x0 + 1, y0 + 1) * wx;
        value |= ((top * (128 - wy) + bottom * wy) >> 14) << shift;
      }
      return value;
    }
  });

  it("leaves out what it cannot read", () => {
    const target = makeSurface(8, 8, SurfaceFmt.Xrgb32);
    const model = cloneSurface(target);
    const data = new Uint8Array(64);
    const area = { top: 0, left: 0, bottom: 4, right: 4 };
    const good = bitmapOf(BitmapFmt.Bit32, 4, 4, data);
    const wrong: RedImage[] = [
      { kind: "surface", surfaceId: 9, width: 4, height: 4 },
      { kind: "quic", id: 0n, cacheMe: false, width: 4, height: 4, data: { offset: 0, length: 64 } },
      { ...good, height: 5 },
      { ...good, stride: 15 },
      { ...good, data: { offset: 8, length: 64 } },
      { ...good, data: { offset: -8, length: 64 } },
      { ...good, format: 12 },
    ];
    for (const src of wrong) draw(target, put(src, area), area, { ...NOTHING, data });
    expectSame(target, model);
    draw(target, put(good, area), area, { ...NOTHING, data });
    expect(getPixel(target, 3, 3)).toBe(0);
  });

  it("draws QUIC pictures with the decoder that it is given", () => {
    const target = makeSurface(4, 4, SurfaceFmt.Xrgb32);
    const area = { top: 0, left: 0, bottom: 2, right: 2 };
    const src: RedImage = {
      kind: "quic",
      id: 0n,
      cacheMe: false,
      width: 2,
      height: 2,
      data: { offset: 1, length: 3 },
    };
    const bytes = new Uint8Array(16).fill(0x33);
    const streams: number[] = [];
    draw(target, put(src, area), area, {
      data: Uint8Array.of(9, 1, 2, 3),
      surface: () => undefined,
      *quic(_image, stream) {
        streams.push(...stream);
        yield 4;
        return { bytes, offset: 0, stride: 8, width: 2, height: 2, format: BitmapFmt.Bit32, topDown: true };
      },
    });
    expect(streams).toEqual([1, 2, 3]);
    expect(getPixel(target, 1, 1)).toBe(0x3333_3333);
  });
});

describe("copyBits", () => {
  it("moves as if all were read before the first is written, in every direction and shape", () => {
    const at = integer({ min: -9, max: 30 });
    assert(
      property(anySurface, anyRect, anyClip, at, at, (target, bbox, clip, x0, y0) => {
        const model = cloneSurface(target);
        const from = cloneSurface(target);
        forEachPixel(model, bbox, clip, (x, y) => {
          const [fx, fy] = [x - bbox.left + x0, y - bbox.top + y0];
          if (fx >= 0 && fy >= 0 && fx < from.width && fy < from.height)
            setPixel(model, x, y, getPixel(from, fx, fy));
        });
        draw(target, { type: "copyBits", src: { x: x0, y: y0 } }, bbox, NOTHING, clip);
        expectSame(target, model);
      }),
      { numRuns: 800 },
    );
  });
});

describe("the rarer operations", () => {
  const area = { top: 0, left: 0, bottom: 1, right: 3 };
  const data = new Uint8Array(Uint32Array.of(0xff00_ff00, 0x0012_3456, 0x8040_0000).buffer);
  const image = bitmapOf(BitmapFmt.Rgba, 3, 1, data);
  const source = { ...NOTHING, data };
  const pixels = (surface: RasterSurface) => [0, 1, 2].map((x) => getPixel(surface, x, 0));
  const black = (format: number) => {
    const surface = makeSurface(3, 1, format);
    surface.bytes.fill(0);
    return surface;
  };

  it("TRANSPARENT leaves the key's pixels alone, whatever their fourth byte", () => {
    const target = black(SurfaceFmt.Xrgb32);
    draw(
      target,
      { type: "transparent", src: image, srcArea: area, srcColor: 0, trueColor: 0xff00_ff00 },
      area,
      source,
    );
    expect(pixels(target)).toEqual([0, 0x12_3456, 0x8040_0000]);
    const target16 = black(SurfaceFmt.Rgb565);
    draw(
      target16,
      { type: "transparent", src: image, srcArea: area, srcColor: 0, trueColor: 0x400000 },
      area,
      source,
    );
    expect(pixels(target16)).toEqual([0x07e0, 0x11aa, 0]);
  });

  it("ALPHA_BLEND is premultiplied OVER with pixman's rounding", () => {
    const target = black(SurfaceFmt.Xrgb32);
    target.bytes.fill(100);
    const blend = { type: "alphaBlend", flags: 0, alpha: 255, src: image, srcArea: area } as const;
    draw(target, blend, area, source);
    // Opaque green; no alpha adds with saturation; half-transparent: 0x40 + 100 * 127 / 255.
    expect(pixels(target)).toEqual([0x00ff00, 0x7698ba, 0x723232]);
    draw(target, { ...blend, alpha: 0 }, area, source);
    expect(pixels(target)).toEqual([0x00ff00, 0x7698ba, 0x723232]);
    const half = black(SurfaceFmt.Argb32);
    draw(half, { ...blend, alpha: 128 }, area, source);
    expect(pixels(half)).toEqual([0x8000_8000, 0x0009_1a2b, 0x4020_0000]);
  });

  it("OPAQUE puts the picture and then the brush over it", () => {
    const target = black(SurfaceFmt.Xrgb32);
    const brush = { type: "solid", color: 0x00ff_ffff } as const;
    draw(
      target,
      { type: "opaque", src: image, srcArea: area, brush, rop: Ropd.OpXor, scaleMode: 0 },
      area,
      source,
    );
    expect(pixels(target)).toEqual([0xffff_00ff, 0x00ed_cba9, 0x80bf_ffff]);
  });

  it("ROP3 with a pattern whose origin lies to the right", () => {
    const target = black(SurfaceFmt.Xrgb32);
    const tile = bitmapOf(BitmapFmt.Bit32, 2, 1, data.slice(0, 8));
    const brush = { type: "pattern", image: tile, pos: { x: 5, y: 3 } } as const;
    // 0xf0 is the pattern alone, 0xcc the source, 0x5a pattern XOR destination: codes that the reference has not.
    draw(target, { type: "rop3", src: image, srcArea: area, brush, rop3: 0xf0, scaleMode: 0 }, area, source);
    expect(pixels(target)).toEqual([0x0012_3456, 0xff00_ff00, 0x0012_3456]);
    draw(target, { type: "rop3", src: image, srcArea: area, brush, rop3: 0x5a, scaleMode: 0 }, area, source);
    expect(pixels(target)).toEqual([0, 0, 0]);
    draw(
      target,
      { type: "rop3", src: image, srcArea: area, brush: { type: "none" }, rop3: 0xcc, scaleMode: 0 },
      area,
      source,
    );
    expect(pixels(target)).toEqual([0xff00_ff00, 0x0012_3456, 0x8040_0000]);
  });
});

describe("isValidSurface", () => {
  it("admits what lies in its memory and nothing else", () => {
    const good = makeSurface(4, 4, SurfaceFmt.Xrgb32);
    expect(isValidSurface(good)).toBe(true);
    expect(isValidSurface(makeSurface(4, 4, SurfaceFmt.Rgb555, { bottomUp: true }))).toBe(true);
    for (const change of [
      { width: 5 },
      { width: 0 },
      { height: 6 },
      { stride: 15 },
      { stride: -16 },
      { offset: -1 },
      { offset: 20 },
      { format: 17 },
      { width: 2.5 },
      { height: Number.NaN },
      { width: 40_000, stride: 0 },
    ]) {
      expect({ change, valid: isValidSurface({ ...good, ...change }) }).toEqual({ change, valid: false });
    }
  });
});

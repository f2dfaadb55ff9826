import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCodecs, createDecoders } from "./codecs.ts";
import { BitmapFmt, ImageType } from "./formats.ts";
import { GlzDictionary } from "./glz/glz-dictionary.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import { loadImageModule } from "./module.ts";
import {
  arbitrarySource,
  canonicalPixels,
  firstDifference,
  paletteFormats,
  rgbFormats,
} from "./source.testing.ts";

const heap = new SurfaceHeap();
const fast = createCodecs(heap, await loadImageModuleFromFile(heap));
const slow = createCodecs();

describe("the table of codecs", () => {
  it("decodes every image type that has a stream", () => {
    const { Quic, LzPlt, LzRgb, GlzRgb, ZlibGlzRgb, Lz4, Jpeg, JpegAlpha } = ImageType;
    const types = [Quic, LzPlt, LzRgb, GlzRgb, ZlibGlzRgb, Lz4, Jpeg, JpegAlpha];
    expect([...createDecoders().keys()].sort((a, b) => a - b)).toEqual(types.sort((a, b) => a - b));
  });

  it("has every encoder by its own name", () => {
    for (const [name, encoder] of Object.entries(fast.encoders)) expect(encoder.name).toBe(name);
    expect(Object.keys(fast.encoders).sort()).toEqual(["jpeg", "jpeg_alpha", "lz", "lz4", "lz_plt", "quic"]);
    expect(Object.keys(slow.encoders).sort()).toEqual(["lz", "lz4", "lz_plt", "quic"]);
  });

  it.each([
    ["WebAssembly", fast],
    ["plain", slow],
  ])("decodes by image type what any encoder made, %s", (_, codecs) => {
    const dictionary = new GlzDictionary(codecs.heap, 1, 1 << 17);
    const { quic, lz, lz_plt, lz4 } = codecs.encoders;
    const other = new GlzDictionary(codecs.heap, 2, 1 << 17);
    const encoders = [quic, lz, lz_plt, lz4, codecs.glz(dictionary), codecs.zlibGlz(other)];
    /** GLZ ids count from 0 in each dictionary. */
    const zlibDecoders = createDecoders();
    const decoders = createDecoders();
    fc.assert(
      fc.property(
        arbitrarySource([...rgbFormats, ...paletteFormats, BitmapFmt.Bit8A]),
        fc.nat(5),
        (source, which) => {
          const encoder = encoders[which];
          const stream = encoder.encode(source);
          if (!encoder.accepts(source)) expect(stream).toBeUndefined();
          if (stream === undefined) return;
          const { width, height } = source;
          const { imageType, innerBytes } = encoder;
          const mine = which === 5 ? zlibDecoders : decoders;
          const image = mine.get(imageType)?.decode(stream, { width, height, innerBytes });
          expect(image?.imageType).toBe(encoder.imageType);
          expect(firstDifference(canonicalPixels(image ?? source), canonicalPixels(source))).toBe(-1);
        },
      ),
      { numRuns: 500 },
    );
    dictionary[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  it("allocates nothing for images once the largest was seen", () => {
    const bytes = new Uint8Array(200 * 200 * 4);
    const source = {
      format: BitmapFmt.Rgba,
      width: 200,
      height: 200,
      stride: 800,
      offset: 0,
      bytes,
      topDown: true,
    };
    for (const encoder of Object.values(fast.encoders)) encoder.encode(source);
    const { used } = heap;
    for (let side = 3; side <= 200; side += 7) {
      for (const encoder of Object.values(fast.encoders))
        encoder.encode({ ...source, width: side, height: side });
    }
    expect(heap.used).toBe(used);
  });

  it("falls back to plain TypeScript where the module cannot be compiled", async () => {
    const other = new SurfaceHeap();
    const module = await loadImageModule(new Uint8Array([0, 0x61, 0x73, 0x6d, 9, 0, 0, 0]), other);
    expect(module).toBeUndefined();
    expect(createCodecs(other, module).accelerated).toBe(false);
    expect(fast.accelerated).toBe(true);
  });
});

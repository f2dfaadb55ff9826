import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageCompression } from "../protocol/enums.ts";
import { chooseCodec } from "./choose-codec.ts";
import type { CodecFacts, ImageCodec } from "./choose-codec.ts";
import { createCodecs } from "./codecs.ts";
import { BitmapFmt, rowBytes } from "./formats.ts";
import { GlzDictionary } from "./glz/glz-dictionary.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";

const { Off, AutoGlz, AutoLz, Quic, Glz, Lz, Lz4 } = ImageCompression;
const { Bit1Be, Bit4Le, Bit8, Bit16, Bit24, Bit32, Rgba, Bit8A } = BitmapFmt;

/** A screenful for a client that decodes everything, with a dictionary, on a fast line. */
const common: CodecFacts = {
  format: Bit32,
  width: 640,
  height: 480,
  compression: AutoGlz,
  graduality: "low",
  lz4: true,
  glzWindow: 1 << 20,
};
const photo = { graduality: "high" } as const;
const slow = { lossyAllowed: true, jpeg: true, zlib: true } as const;

const table: [string, Partial<CodecFacts>, ImageCodec][] = [
  ["below 54 bytes", { width: 13, height: 1 }, "raw"],
  ["54 bytes and more", { width: 14, height: 1 }, "glz"],
  ["off", { compression: Off }, "raw"],
  ["no setting at all", { compression: 0 }, "raw"],
  ["a setting that does not exist", { compression: 99 }, "raw"],

  ["QUIC", { compression: Quic }, "quic"],
  ["QUIC of 16 bits", { compression: Quic, format: Bit16 }, "quic"],
  ["QUIC of RGBA", { compression: Quic, format: Rgba }, "quic"],
  ["QUIC of a palette", { compression: Quic, format: Bit8 }, "raw"],
  ["QUIC of alpha alone", { compression: Quic, format: Bit8A }, "raw"],
  ["QUIC of two columns", { compression: Quic, width: 2 }, "raw"],
  ["QUIC of two rows", { compression: Quic, height: 2 }, "raw"],
  ["QUIC over extra stride", { compression: Quic, extraStride: true }, "quic"],

  ["automatic, drawing", {}, "glz"],
  ["automatic, something between", { graduality: "medium" }, "glz"],
  ["automatic, photograph", photo, "quic"],
  ["automatic, photograph of two rows", { ...photo, height: 2 }, "glz"],
  ["automatic LZ, drawing", { compression: AutoLz }, "lz"],
  ["automatic LZ, photograph", { compression: AutoLz, ...photo }, "quic"],
  ["automatic, palette", { format: Bit8, graduality: "not available" }, "lz_plt"],
  ["automatic LZ, palette", { compression: AutoLz, format: Bit1Be, graduality: "not available" }, "lz_plt"],
  ["automatic, alpha alone", { format: Bit8A, graduality: "not available" }, "lz"],
  ["automatic over extra stride", { extraStride: true }, "quic"],
  ["automatic, palette over extra stride", { extraStride: true, format: Bit8 }, "raw"],

  ["GLZ", { compression: Glz }, "glz"],
  ["GLZ of a photograph", { compression: Glz, ...photo }, "glz"],
  ["GLZ of a palette", { compression: Glz, format: Bit4Le }, "lz_plt"],
  ["GLZ of alpha alone", { compression: Glz, format: Bit8A }, "lz"],
  ["GLZ without a dictionary", { compression: Glz, glzWindow: 0 }, "lz"],
  ["automatic without a dictionary", { glzWindow: undefined }, "lz"],
  ["GLZ of as many pixels as the window", { compression: Glz, glzWindow: 640 * 480 }, "lz"],
  ["GLZ of a pixel less", { compression: Glz, glzWindow: 640 * 480 + 1 }, "glz"],
  ["GLZ over extra stride", { compression: Glz, extraStride: true }, "raw"],

  ["LZ", { compression: Lz }, "lz"],
  ["LZ of a palette", { compression: Lz, format: Bit8 }, "lz_plt"],
  ["LZ of alpha alone", { compression: Lz, format: Bit8A }, "lz"],
  ["LZ over extra stride", { compression: Lz, extraStride: true }, "raw"],
  ["LZ of an unknown format", { compression: Lz, format: 11 }, "raw"],

  ["LZ4", { compression: Lz4 }, "lz4"],
  ["LZ4 of 24 bits", { compression: Lz4, format: Bit24 }, "lz4"],
  ["LZ4 of a photograph", { compression: Lz4, ...photo }, "lz4"],
  ["LZ4 for a client without", { compression: Lz4, lz4: false }, "lz"],
  ["LZ4 of a palette", { compression: Lz4, format: Bit8 }, "lz_plt"],
  ["LZ4 of alpha alone, at which clients abort", { compression: Lz4, format: Bit8A }, "lz"],
  ["LZ4 over extra stride", { compression: Lz4, extraStride: true }, "raw"],

  ["slow line, photograph", { ...slow, ...photo }, "jpeg"],
  ["slow line, QUIC", { ...slow, compression: Quic }, "jpeg"],
  ["slow line, photograph with alpha", { ...slow, ...photo, format: Rgba }, "jpeg_alpha"],
  ["the same over extra stride", { ...slow, ...photo, format: Rgba, extraStride: true }, "quic"],
  ["slow line, where quality matters", { ...slow, ...photo, lossyAllowed: false }, "quic"],
  ["slow line, JPEG off", { ...slow, ...photo, jpeg: false }, "quic"],
  ["slow line, drawing", slow, "zlib_glz"],
  ["slow line, GLZ", { ...slow, compression: Glz }, "zlib_glz"],
  ["slow line, no dictionary", { ...slow, glzWindow: 0 }, "lz"],
  ["slow line, LZ", { ...slow, compression: Lz }, "lz"],
  ["slow line, LZ4", { ...slow, compression: Lz4 }, "lz4"],
];

describe("the choice of a codec", () => {
  it.each(table)("%s", (_name, facts, codec) => {
    expect(chooseCodec({ ...common, ...facts })).toBe(codec);
  });

  it("asks for the graduality only where it matters", () => {
    for (const compression of [Off, Quic, Glz, Lz, Lz4]) {
      const facts: CodecFacts = {
        ...common,
        compression,
        get graduality(): never {
          throw new Error("asked");
        },
      };
      expect(() => chooseCodec(facts)).not.toThrow();
    }
  });

  it("never chooses an encoder that does not accept the image", async () => {
    const heap = new SurfaceHeap();
    const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
    using dictionary = new GlzDictionary(heap, 1, 1 << 16);
    const encoders = {
      ...codecs.encoders,
      glz: codecs.glz(dictionary),
      zlib_glz: codecs.zlibGlz(dictionary),
    };
    const facts = fc.record({
      format: fc.integer({ min: 1, max: 10 }),
      width: fc.integer({ min: 1, max: 300 }),
      height: fc.integer({ min: 1, max: 300 }),
      compression: fc.integer({ min: 0, max: 8 }),
      graduality: fc.constantFrom("low", "high", "not available"),
      lz4: fc.boolean(),
      lossyAllowed: fc.boolean(),
      jpeg: fc.boolean(),
      zlib: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (facts) => {
        const codec = chooseCodec({ ...facts, glzWindow: dictionary.capacity } as CodecFacts);
        if (codec === "raw") return;
        const { format, width, height } = facts;
        const stride = rowBytes(format, width);
        const bytes = new Uint8Array(stride * height);
        const encoder = encoders[codec];
        expect(encoder?.accepts({ format, width, height, stride, offset: 0, bytes, topDown: true })).toBe(
          true,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

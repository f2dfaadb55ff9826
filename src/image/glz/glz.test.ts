import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt } from "../formats.ts";
import { GlzDecoder, GlzImageMissingError, GlzWindow } from "./glz-decode.ts";
import { GlzDictionary } from "./glz-dictionary.ts";
import { GlzEncoder } from "./glz-encode.ts";
import { SurfaceHeap } from "../heap.ts";
import { loadImageModuleFromFile } from "../load.node.ts";
import { arbitrarySource, canonicalPixels, firstDifference, paint, rgbFormats } from "../source.testing.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { WasmGlzEncoder } from "../wasm-encoders.ts";
import { WasmWorkspace } from "../wasm-workspace.ts";

const heap = new SurfaceHeap();
const work = new WasmWorkspace(heap, await loadImageModuleFromFile(heap));

/** Both encoders, each with its own dictionary of `pixels` pixels. */
function pair(pixels: number): { twin: ImageEncoder; wasm: ImageEncoder } & Disposable {
  const dictionaries = [new GlzDictionary(heap, 1, pixels), new GlzDictionary(heap, 1, pixels)];
  return {
    twin: new GlzEncoder(dictionaries[0]),
    wasm: new WasmGlzEncoder(dictionaries[1], work),
    [Symbol.dispose]: () => dictionaries.forEach((dictionary) => dictionary[Symbol.dispose]()),
  };
}

/** A sequence of pictures as a screen makes them: new ones, and older ones again, changed a little. */
const arbitraryScreens = fc
  .array(fc.tuple(arbitrarySource(rgbFormats, 140), fc.integer({ min: 0, max: 3 }), fc.nat(), fc.nat(255)), {
    minLength: 1,
    maxLength: 25,
  })
  .map((steps) => {
    const screens: ImageSource[] = [];
    for (const [source, repeat, at, value] of steps) {
      const older = repeat > 0 ? screens.at(-repeat) : undefined;
      if (older === undefined) screens.push(source);
      else {
        const bytes = older.bytes.slice();
        bytes[at % bytes.length] = value;
        screens.push({ ...older, bytes });
      }
    }
    return screens;
  });

describe("GLZ", () => {
  it("returns the same pixels over a window that overflows, and WebAssembly makes the bytes of the twin", () => {
    fc.assert(
      fc.property(arbitraryScreens, (screens) => {
        using encoders = pair(65_536);
        const decoder = new GlzDecoder();
        for (const source of screens) {
          const stream = encoders.twin.encode(source)?.slice();
          const bytes = encoders.wasm.encode(source);
          expect(firstDifference(bytes ?? new Uint8Array(0), stream ?? new Uint8Array(0))).toBe(-1);
          if (stream === undefined) continue;
          const image = decoder.decode(stream);
          expect(image).toMatchObject({
            format: source.format,
            width: source.width,
            height: source.height,
            topDown: source.topDown,
          });
          expect(firstDifference(canonicalPixels(image), canonicalPixels(source))).toBe(-1);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("sends a picture it has sent before as a reference, and tells the client what to keep", () => {
    using encoders = pair(65_536);
    const window = new GlzWindow();
    const decoder = new GlzDecoder(window);
    const side = 150;
    const bytes = new Uint8Array(side * side * 4);
    paint(bytes, side * 4, 4, 0, 1);
    const noise: ImageSource = {
      format: BitmapFmt.Bit32,
      width: side,
      height: side,
      stride: side * 4,
      offset: 0,
      bytes,
      topDown: true,
    };
    const lengths: number[] = [];
    for (let i = 0; i < 40; i++) {
      const stream = encoders.wasm.encode(noise) ?? new Uint8Array(0);
      lengths.push(stream.length);
      expect(firstDifference(canonicalPixels(decoder.decode(stream)), canonicalPixels(noise))).toBe(-1);
      // A window of 65536 pixels holds two images of 22500 without overlap.
      expect(window.size).toBeLessThanOrEqual(3);
    }
    expect(lengths[0]).toBeGreaterThan(side * side * 2.5);
    expect(Math.max(...lengths.slice(1))).toBeLessThan(500);
  });

  it("takes an image without gain back, so that ids have no gaps", () => {
    using encoders = pair(65_536);
    const decoder = new GlzDecoder();
    const bytes = new Uint8Array(40 * 40 * 3);
    paint(bytes, 120, 3, 0, 9);
    const noise: ImageSource = {
      format: BitmapFmt.Bit24,
      width: 40,
      height: 40,
      stride: 120,
      offset: 0,
      bytes,
      topDown: true,
    };
    const flat = { ...noise, bytes: new Uint8Array(bytes.length) };
    for (const encoder of [encoders.twin, encoders.wasm]) {
      const ids: number[] = [];
      expect(encoder.encode(noise)).toBeUndefined();
      for (let i = 0; i < 3; i++) {
        const stream = encoder.encode(flat) ?? new Uint8Array(0);
        ids.push(stream[28]);
        decoder.decode(stream);
        expect(encoder.encode({ ...noise, width: 20 })).toBeUndefined();
      }
      expect(ids).toEqual([0, 1, 2]);
    }
  });

  it("names the image that is missing when another channel is behind", () => {
    using encoders = pair(65_536);
    const bytes = new Uint8Array(64 * 64 * 4);
    paint(bytes, 256, 4, 0, 2);
    const source: ImageSource = {
      format: BitmapFmt.Bit32,
      width: 64,
      height: 64,
      stride: 256,
      offset: 0,
      bytes,
      topDown: true,
    };
    const first = encoders.wasm.encode(source)?.slice() ?? bytes;
    const second = encoders.wasm.encode(source)?.slice() ?? bytes;
    const decoder = new GlzDecoder();
    expect(() => decoder.decode(second)).toThrow(GlzImageMissingError);
    decoder.decode(first);
    expect(firstDifference(canonicalPixels(decoder.decode(second)), canonicalPixels(source))).toBe(-1);
  });

  it("refuses images as large as the window and windows that are too small", () => {
    using encoders = pair(65_536);
    const source = {
      format: BitmapFmt.Bit32,
      width: 256,
      height: 256,
      stride: 1024,
      offset: 0,
      bytes: new Uint8Array(1 << 18),
      topDown: true,
    };
    expect(encoders.wasm.accepts(source)).toBe(false);
    expect(encoders.wasm.accepts({ ...source, height: 255 })).toBe(true);
    expect(encoders.wasm.accepts({ ...source, format: BitmapFmt.Bit8 })).toBe(false);
    expect(() => new GlzDictionary(heap, 1, 1000)).toThrow(RangeError);
  });

  it("answers broken streams with an ImageDecodeError and nothing else", () => {
    fc.assert(
      fc.property(
        arbitraryScreens,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (screens, edits, cut) => {
          using encoders = pair(65_536);
          const decoder = new GlzDecoder();
          for (const source of screens.slice(0, 6)) {
            const stream = encoders.wasm.encode(source)?.slice();
            if (stream === undefined) continue;
            for (const [at, value] of edits) stream[at % stream.length] = value;
            try {
              decoder.decode(stream.subarray(0, cut % 3 === 0 ? cut % stream.length : stream.length));
            } catch (error) {
              expect(error).toBeInstanceOf(ImageDecodeError);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

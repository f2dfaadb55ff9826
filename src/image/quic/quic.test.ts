import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt } from "../formats.ts";
import { QuicDecoder } from "./quic-decode.ts";
import { QuicEncoder } from "./quic-encode.ts";
import { arbitrarySource, canonicalPixels, firstDifference, paint, rgbFormats } from "../source.testing.ts";
import type { ImageSource } from "../source.ts";

const encoder = new QuicEncoder();
const decoder = new QuicDecoder();

describe("QUIC", () => {
  it("returns the same pixels for every format, orientation and stride", () => {
    fc.assert(
      fc.property(arbitrarySource(rgbFormats, 90, 3), (source) => {
        const stream = encoder.encode(source);
        if (stream === undefined) return;
        const image = decoder.decode(stream);
        expect(image).toMatchObject({
          format: source.format,
          width: source.width,
          height: source.height,
          topDown: true,
        });
        expect(firstDifference(canonicalPixels(image), canonicalPixels(source))).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the picture when the wait mask widens in the middle of rows", () => {
    const [width, height] = [700, 40];
    for (let kind = 1; kind < 6; kind++) {
      const bytes = new Uint8Array(width * height * 4);
      paint(bytes, width * 4, 4, kind, 7);
      const source: ImageSource = {
        format: BitmapFmt.Rgba,
        width,
        height,
        stride: width * 4,
        offset: 0,
        bytes,
        topDown: true,
      };
      const stream = encoder.encode(source);
      expect(stream).toBeDefined();
      expect(firstDifference(canonicalPixels(decoder.decode(stream ?? bytes)), canonicalPixels(source))).toBe(
        -1,
      );
    }
  });

  it("leaves small and palette images to others", () => {
    const bytes = new Uint8Array(64);
    const source = {
      format: BitmapFmt.Bit32,
      width: 4,
      height: 4,
      stride: 16,
      offset: 0,
      bytes,
      topDown: true,
    };
    expect(encoder.accepts(source)).toBe(true);
    expect(encoder.accepts({ ...source, width: 2 })).toBe(false);
    expect(encoder.accepts({ ...source, height: 2 })).toBe(false);
    expect(encoder.accepts({ ...source, format: BitmapFmt.Bit8 })).toBe(false);
    expect(encoder.accepts({ ...source, stride: 17 })).toBe(false);
  });

  it("answers broken streams with an ImageDecodeError and nothing else", () => {
    fc.assert(
      fc.property(
        arbitrarySource(rgbFormats, 30, 3),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (source, edits, cut) => {
          const stream = encoder.encode(source)?.slice();
          if (stream === undefined) return;
          for (const [at, value] of edits) stream[at % stream.length] = value;
          const end = cut % 3 === 0 ? cut % stream.length : stream.length;
          try {
            decoder.decode(stream.subarray(0, end));
          } catch (error) {
            expect(error).toBeInstanceOf(ImageDecodeError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

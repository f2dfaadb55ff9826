import { describe, expect, it } from "vitest";
import { createCodecs } from "./codecs.ts";
import { bitsPerPixel, rowBytes } from "./formats.ts";
import { GlzDecoder } from "./glz/glz-decode.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import { JpegDecoder } from "./jpeg/jpeg-decode.ts";
import { Lz4Decoder } from "./lz4/lz4-decode.ts";
import { LzDecoder } from "./lz/lz-decode.ts";
import { QuicDecoder } from "./quic/quic-decode.ts";
import { canonicalPixels, firstDifference, paint } from "./source.testing.ts";
import type { ImageSource } from "./source.ts";
import jpegs from "./vectors/reference-jpeg.json" with { type: "json" };
import vectors from "./vectors/reference.json" with { type: "json" };
import { shortHash } from "./verified.testing.ts";

/** vectors/reference.json: streams of spice 0.15.1's own encoders, made by bench/reference/vectors.ts from painted pictures. */
type Vector = (typeof vectors)[number];

function pictureOf({ format, width, height, kind, seed }: Vector): ImageSource {
  const stride = rowBytes(format, width);
  const bytes = new Uint8Array(stride * height);
  paint(bytes, stride, Math.max(1, bitsPerPixel(format) >> 3), kind, seed);
  return { format, width, height, stride, offset: 0, bytes, topDown: true };
}

const streamOf = (vector: Vector): Uint8Array => new Uint8Array(Buffer.from(vector.stream, "base64"));
const of = (codec: string): Vector[] => vectors.filter((vector) => vector.codec === codec);

const heap = new SurfaceHeap();
const encoders = [
  createCodecs(heap, await loadImageModuleFromFile(heap)).encoders.quic,
  createCodecs().encoders.quic,
];

describe("streams of the reference encoders", () => {
  it("QUIC: ours are the same bytes, and decode to the picture", () => {
    expect(of("quic").length).toBeGreaterThan(20);
    let compared = 0;
    for (const vector of of("quic")) {
      const [source, stream] = [pictureOf(vector), streamOf(vector)];
      expect(
        firstDifference(canonicalPixels(new QuicDecoder().decode(stream)), canonicalPixels(source)),
      ).toBe(-1);
      for (const encoder of encoders) {
        const ours = encoder.encode(source);
        // A stream that is no smaller than the bitmap is not made.
        if (ours === undefined) continue;
        expect(firstDifference(ours, stream)).toBe(-1);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(30);
  });

  it("LZ decodes to the picture", () => {
    const decoder = new LzDecoder();
    for (const vector of of("lz")) {
      expect(
        firstDifference(
          canonicalPixels(decoder.decode(streamOf(vector))),
          canonicalPixels(pictureOf(vector)),
        ),
      ).toBe(-1);
    }
    expect(of("lz").length).toBe(60);
  });

  it("GLZ decodes to the pictures, in order, with references between them", () => {
    const decoder = new GlzDecoder();
    for (const vector of of("glz")) {
      expect(
        firstDifference(
          canonicalPixels(decoder.decode(streamOf(vector))),
          canonicalPixels(pictureOf(vector)),
        ),
      ).toBe(-1);
    }
    expect(of("glz").length).toBe(36);
  });

  it("LZ4 decodes to the picture, in one chunk and in many", () => {
    const decoder = new Lz4Decoder();
    for (const vector of of("lz4")) {
      const { width, height } = vector;
      const image = decoder.decode(streamOf(vector), { width, height });
      expect(firstDifference(canonicalPixels(image), canonicalPixels(pictureOf(vector)))).toBe(-1);
    }
    expect(of("lz4").length).toBe(24);
  });

  it.each(jpegs)("JPEG decodes to libjpeg's pixels: $from", ({ from, width, height, pixels, stream }) => {
    const bytes = new Uint8Array(Buffer.from(stream, "base64"));
    if (from === "progressive") return expect(() => new JpegDecoder().decode(bytes)).toThrow(/SOF2/);
    const image = new JpegDecoder().decode(bytes);
    expect(image).toMatchObject({ width, height });
    expect(shortHash(image.bytes)).toBe(pixels);
  });
});

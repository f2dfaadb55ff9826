import { describe, expect, it } from "vitest";
import { createCodecs } from "./codecs.ts";
import { bitsPerPixel, rowBytes } from "./formats.ts";
import { GlzDecoder } from "./glz-decode.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import { LzDecoder } from "./lz-decode.ts";
import { QuicDecoder } from "./quic-decode.ts";
import { canonicalPixels, firstDifference, paint } from "./source.testing.ts";
import type { ImageSource } from "./source.ts";
import vectors from "./vectors/reference.json" with { type: "json" };

/** vectors/reference.json: streams of spice 0.15.1's own encoders, made by bench/reference/vectors.ts from painted pictures. */
type Vector = (typeof vectors)[number];

function pictureOf({ format, width, height, kind, seed }: Vector): ImageSource {
  const stride = rowBytes(format, width);
  const bytes = new Uint8Array(stride * height);
  paint(bytes, stride, bitsPerPixel(format) >> 3, kind, seed);
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
    expect(of("lz").length).toBe(36);
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
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCodecs } from "../codecs.ts";
import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType } from "../formats.ts";
import { SurfaceHeap } from "../heap.ts";
import { JpegAlphaDecoder } from "./jpeg-alpha.ts";
import { JpegDecoder } from "./jpeg-decode.ts";
import { LzDecoder } from "../lz/lz-decode.ts";
import { loadImageModuleFromFile } from "../load.node.ts";
import { arbitrarySource, canonicalPixels, firstDifference, paint } from "../source.testing.ts";
import type { ImageSource } from "../source.ts";

const heap = new SurfaceHeap();
const { jpeg, jpeg_alpha: encoder } = createCodecs(heap, await loadImageModuleFromFile(heap)).encoders;
const decoder = new JpegAlphaDecoder();

function example(): ImageSource {
  const bytes = new Uint8Array(80 * 50 * 4);
  paint(bytes, 320, 4, 1, 4);
  return { format: BitmapFmt.Rgba, width: 80, height: 50, stride: 320, offset: 0, bytes, topDown: false };
}

describe("JPEG_ALPHA", () => {
  it("has the colours of the JPEG and exactly the alpha of the picture, in every orientation and stride", () => {
    let made = 0;
    fc.assert(
      fc.property(arbitrarySource([BitmapFmt.Rgba], 90), (source) => {
        const stream = encoder!.encode(source)?.slice();
        if (stream === undefined) return;
        made++;
        const { innerBytes } = encoder!;
        const image = decoder.decode(stream, { innerBytes });
        const { width, height } = source;
        expect(image).toMatchObject({
          imageType: ImageType.JpegAlpha,
          format: BitmapFmt.Rgba,
          width,
          height,
        });
        const [ours, wanted] = [canonicalPixels(image), canonicalPixels(source)];
        const colors = new JpegDecoder().decode(jpeg!.encodeFrame(source)!).bytes;
        for (let i = 0; i < wanted.length; i++) if (i % 4 < 3) wanted[i] = colors[i];
        expect(firstDifference(ours, wanted)).toBe(-1);
        // The wire's flag and the alpha stream must agree on the order of rows.
        const alpha = new LzDecoder().decode(stream.subarray(innerBytes));
        expect(alpha.topDown).toBe(source.topDown);
      }),
      { numRuns: 200 },
    );
    expect(made).toBeGreaterThan(50);
  });

  it("is not for other formats, nor for what it would make larger", () => {
    const source = example();
    expect(encoder!.accepts({ ...source, format: BitmapFmt.Bit32 })).toBe(false);
    expect(encoder!.encode({ ...source, format: BitmapFmt.Bit32 })).toBeUndefined();
    expect(encoder!.encode({ ...source, width: 5, height: 5 })).toBeUndefined();
  });

  it("refuses a JPEG's end outside the data, a stream of another type, and an alpha plane of another size", () => {
    const stream = encoder!.encode(example())!.slice();
    const innerBytes = encoder!.innerBytes!;
    for (const wrong of [0, -1, stream.length + 1, innerBytes + 1, innerBytes - 1, stream.length - 5, NaN])
      expect(() => decoder.decode(stream, { innerBytes: wrong })).toThrow(ImageDecodeError);
    expect(() => decoder.decode(stream)).toThrow(ImageDecodeError);
    const other = encoder!.encode({ ...example(), height: 49 })!.slice();
    const mixed = new Uint8Array([...stream.subarray(0, innerBytes), ...other.subarray(encoder!.innerBytes)]);
    expect(() => decoder.decode(mixed, { innerBytes })).toThrow(/alpha plane of 80x49 for 80x50/);
  });
});

import { describe, expect, it } from "vitest";
import type { ImageEncoder, ImageSource } from "../../image/index.ts";
import {
  BitmapFmt,
  GlzDictionary,
  ImageType,
  SurfaceHeap,
  createCodecs,
  createDecoders,
} from "../../image/index.ts";
import { loadImageModuleFromFile } from "../../image/load.node.ts";
import { canonicalPixels, firstDifference, paint } from "../../image/source.testing.ts";
import type { SpiceImage } from "../../protocol/index.ts";
import { JpegAlphaFlags, MessageParser, displayChannel, encodeMessage } from "../../protocol/index.ts";
import { wireImage } from "./wire-image.ts";

const heap = new SurfaceHeap();
const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
const { jpeg, jpeg_alpha: jpegAlpha } = codecs.encoders;

function picture(format: number, topDown: boolean): ImageSource {
  const bytes = new Uint8Array(90 * 70 * 4);
  paint(bytes, 360, 4, 1, 11);
  return { format, width: 90, height: 70, stride: 360, offset: 0, bytes, topDown };
}

/** The image as a client's parser gives it. */
function overTheWire(encoder: ImageEncoder, source: ImageSource): SpiceImage {
  const data = encoder.encode(source)!.slice();
  const { imageType, innerBytes = 0 } = encoder;
  const { width, height, format, topDown } = source;
  const encoded = {
    imageType,
    innerBytes,
    width,
    height,
    format,
    topDown,
    stride: 0,
    data,
    palette: undefined,
  };
  const box = { top: 0, left: 0, right: width, bottom: height };
  const message = encodeMessage(
    displayChannel.server.drawCopy,
    {
      base: { surfaceId: 0, box, clip: { type: 0 } },
      data: {
        srcBitmap: wireImage(encoded, { id: 7n, flags: 0 }, undefined),
        srcArea: box,
        ropDescriptor: 8,
        scaleMode: 0,
        mask: { flags: 0, pos: { x: 0, y: 0 }, bitmap: null },
      },
    },
    { miniHeader: true, serial: 1n },
  );
  const [parsed] = new MessageParser({ channel: displayChannel.server, miniHeader: true }).push(message);
  return parsed.as(displayChannel.server.drawCopy)!.data.srcBitmap!;
}

describe("images that carry a size beside their data", () => {
  it("ZLIB_GLZ_RGB", () => {
    using dictionary = new GlzDictionary(heap, 1, 1 << 16);
    const source = picture(BitmapFmt.Bit32, true);
    const image = overTheWire(codecs.zlibGlz(dictionary), source);
    if (!("zlibGlz" in image)) throw new Error(`type ${image.descriptor.type}`);
    const { data, glzDataSize: innerBytes } = image.zlibGlz;
    const decoded = createDecoders().get(ImageType.ZlibGlzRgb)!.decode(data, { innerBytes });
    expect(firstDifference(canonicalPixels(decoded), canonicalPixels(source))).toBe(-1);
  });

  it.each([true, false])("JPEG_ALPHA, top-down %s", (topDown) => {
    const source = picture(BitmapFmt.Rgba, topDown);
    const image = overTheWire(jpegAlpha!, source);
    if (!("jpegAlpha" in image)) throw new Error(`type ${image.descriptor.type}`);
    const { data, jpegSize: innerBytes, flags } = image.jpegAlpha;
    // Clients insist that the flag agrees with the header of the alpha stream.
    expect(flags).toBe(topDown ? JpegAlphaFlags.TopDown : 0);
    expect(data[innerBytes + 27]).toBe(Number(topDown));
    const decoded = createDecoders().get(ImageType.JpegAlpha)!.decode(data, { innerBytes });
    const alpha = (pixels: Uint8Array) => pixels.filter((_, i) => i % 4 === 3);
    expect(firstDifference(alpha(canonicalPixels(decoded)), alpha(canonicalPixels(source)))).toBe(-1);
  });

  it("JPEG has none", () => {
    const image = overTheWire(jpeg!, picture(BitmapFmt.Bit32, true));
    if (!("jpeg" in image)) throw new Error(`type ${image.descriptor.type}`);
    expect(createDecoders().get(ImageType.Jpeg)!.decode(image.jpeg.data)).toMatchObject({
      width: 90,
      height: 70,
    });
  });
});

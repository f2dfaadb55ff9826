import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType } from "../formats.ts";
import { JpegDecoder } from "./jpeg-decode.ts";
import { LzDecoder } from "../lz/lz-decode.ts";
import { LZ_HEADER_BYTES, LzImageType } from "../lz/lz-format.ts";
import type { DecodeHints, DecodedImage, ImageDecoder, ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";

/**
 * JPEG_ALPHA: the colours of an RGBA image as JPEG, then its alpha plane as an LZ stream of type XXXA. The JPEG begins with the top
 * row as any does; the alpha plane is in memory row order, and the LZ header's top_down repeats the flag TOP_DOWN of the SpiceImage.
 * `innerBytes` is where the JPEG ends, the SpiceImage's jpeg_size.
 */
export class JpegAlphaEncoder implements ImageEncoder {
  readonly name = "jpeg_alpha";
  readonly imageType = ImageType.JpegAlpha;
  innerBytes = 0;
  private readonly jpeg: ImageEncoder;
  private readonly encodeAlpha: (source: ImageSource) => Uint8Array;
  private out = new Uint8Array(0);

  /** @param encodeAlpha an LZ stream (XXXA) of the fourth bytes. */
  constructor(jpeg: ImageEncoder, encodeAlpha: (source: ImageSource) => Uint8Array) {
    this.jpeg = jpeg;
    this.encodeAlpha = encodeAlpha;
  }

  accepts(source: ImageSource): boolean {
    return source.format === BitmapFmt.Rgba && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const bytes = sourceBytes(source);
    const jpeg = this.jpeg.encode(source);
    if (jpeg === undefined) return undefined;
    if (this.out.length < bytes) this.out = new Uint8Array(bytes);
    this.out.set(jpeg);
    const end = jpeg.length;
    // The next stream takes the place of the JPEG in the encoders' scratch memory.
    const alpha = this.encodeAlpha(source);
    if (end + alpha.length >= bytes) return undefined;
    this.out.set(alpha, end);
    this.innerBytes = end;
    return this.out.subarray(0, end + alpha.length);
  }
}

/** Decodes JPEG_ALPHA to a top-down RGBA bitmap. The hints must tell where the JPEG ends. */
export class JpegAlphaDecoder implements ImageDecoder {
  readonly name = "jpeg_alpha";
  readonly imageTypes = [ImageType.JpegAlpha];
  private readonly jpeg = new JpegDecoder();
  private readonly lz = new LzDecoder();
  private plane: Uint8Array = new Uint8Array(0);

  decode(bytes: Uint8Array, hints: DecodeHints = {}): DecodedImage {
    const { innerBytes = 0, into } = hints;
    const fail = (at: number, problem: string) => new ImageDecodeError("jpeg_alpha", at, problem);
    if (innerBytes < 1 || innerBytes > bytes.length)
      throw fail(0, `JPEG of ${innerBytes} bytes is not within ${bytes.length}`);
    const alphaStream = bytes.subarray(innerBytes);
    const type = alphaStream.length < LZ_HEADER_BYTES ? 0 : alphaStream[11];
    if (type !== LzImageType.XXXA) throw fail(innerBytes, "no alpha plane follows the JPEG");
    const alpha = this.lz.decode(alphaStream, { into: this.plane });
    if (alpha.bytes.length > this.plane.length) this.plane = alpha.bytes;
    const image = this.jpeg.decode(bytes.subarray(0, innerBytes), { into });
    const { width, height } = image;
    if (alpha.width !== width || alpha.height !== height)
      throw fail(innerBytes + 12, `alpha plane of ${alpha.width}x${alpha.height} for ${width}x${height}`);
    for (let y = 0; y < height; y++) {
      let from = (alpha.topDown ? y : height - 1 - y) * width;
      const end = (y + 1) * width * 4;
      for (let to = y * width * 4 + 3; to < end; to += 4) image.bytes[to] = alpha.bytes[from++];
    }
    return { ...image, imageType: ImageType.JpegAlpha, format: BitmapFmt.Rgba };
  }
}

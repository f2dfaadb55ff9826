import { BitmapFmt } from "../formats.ts";
import { JPEG_QUALITY } from "./jpeg-encode.ts";
import { PLATFORM_JPEG_MIN_PIXELS } from "../limits.ts";
import type { ImageSource } from "../source.ts";
import { isValidSource } from "../source.ts";

/**
 * The browser's own JPEG encoder, for large pictures of those who can wait. It is there without WebAssembly SIMD, which our own needs;
 * where both are, ours is more than twice as quick at every size in Chromium (`npm run bench -- jpeg`), whose workers moreover encode on
 * the calling thread. Whoever needs the stream at once, or has no OffscreenCanvas (Node), takes the `jpeg` encoder of the table.
 */
export class PlatformJpegEncoder {
  /** 1 to 100, as libjpeg has it. */
  quality = JPEG_QUALITY;
  private canvas: OffscreenCanvas | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** Whether this platform has such an encoder. */
  static get supported(): boolean {
    return typeof OffscreenCanvas === "function";
  }

  /** Whether the picture is large enough for it to pay. */
  accepts(source: ImageSource): boolean {
    return source.width * source.height >= PLATFORM_JPEG_MIN_PIXELS && this.canEncode(source);
  }

  private canEncode(source: ImageSource): boolean {
    const { format } = source;
    const color = format >= BitmapFmt.Bit16 && format <= BitmapFmt.Rgba;
    return PlatformJpegEncoder.supported && color && isValidSource(source);
  }

  /**
   * A JPEG of the colours, which the caller owns. The pixels are taken before this returns; calls may overlap, and are encoded in turn.
   * `undefined`: not accepted, or the platform gave something else than a JPEG; take the `jpeg` encoder.
   * @param how `anySize`: also pictures that our own encoder makes sooner.
   */
  encodeAsync(source: ImageSource, how: { anySize?: boolean } = {}): Promise<Uint8Array | undefined> {
    if (!(how.anySize ? this.canEncode(source) : this.accepts(source))) return Promise.resolve(undefined);
    const image = new ImageData(rgba(source), source.width, source.height);
    const { quality } = this;
    const result = this.last.then(() => this.encodeImage(image, quality));
    this.last = result.catch(() => undefined);
    return result;
  }

  private async encodeImage(image: ImageData, quality: number): Promise<Uint8Array | undefined> {
    const { width, height } = image;
    const canvas = (this.canvas ??= new OffscreenCanvas(width, height));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    // Read back often: kept in main memory, not on a graphics card.
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (context === null) return undefined;
    context.putImageData(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: quality / 100 });
    return blob.type === "image/jpeg" ? new Uint8Array(await blob.arrayBuffer()) : undefined;
  }
}

/** The picture as a canvas takes it: R, G, B, 255, top row first. */
function rgba(source: ImageSource): Uint8ClampedArray<ArrayBuffer> {
  const { format, bytes, width, height, stride, offset, topDown } = source;
  const words = new Uint32Array(width * height);
  const step = format === BitmapFmt.Bit16 ? 2 : format === BitmapFmt.Bit24 ? 3 : 4;
  let at = 0;
  for (let y = 0; y < height; y++) {
    let from = offset + (topDown ? y : height - 1 - y) * stride;
    for (const end = at + width; at < end; at++, from += step) {
      if (step > 2) {
        words[at] = 0xff000000 | (bytes[from] << 16) | (bytes[from + 1] << 8) | bytes[from + 2];
        continue;
      }
      const pixel = bytes[from] | (bytes[from + 1] << 8);
      const [red, green, blue] = [(pixel >> 10) & 31, (pixel >> 5) & 31, pixel & 31];
      // Five bits to eight: the upper three again below.
      words[at] =
        0xff000000 |
        (((blue << 3) | (blue >> 2)) << 16) |
        (((green << 3) | (green >> 2)) << 8) |
        ((red << 3) | (red >> 2));
    }
  }
  return new Uint8ClampedArray(words.buffer);
}

import { BitmapFmt, ImageType } from "../formats.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";
import type { WasmWorkspace } from "../wasm-workspace.ts";

/** libspice-server's JPEG quality for slow lines. */
export const JPEG_QUALITY = 85;

/** Pixel layouts of assembly/jpeg.ts by bitmap format; alpha is left to JPEG_ALPHA's own stream. */
const LAYOUTS: Readonly<Record<number, number>> = {
  [BitmapFmt.Bit32]: 0,
  [BitmapFmt.Rgba]: 0,
  [BitmapFmt.Bit24]: 1,
  [BitmapFmt.Bit16]: 2,
};

/**
 * Baseline JPEG at once, for tiles and for whoever must know the size before going on. Lossy. The platform's own encoder
 * (OffscreenCanvas) is asynchronous and costs a fixed time per call; there is no plain TypeScript twin, since lossless codecs serve
 * where WebAssembly SIMD is missing.
 */
export class WasmJpegEncoder implements ImageEncoder {
  readonly name = "jpeg";
  readonly imageType = ImageType.Jpeg;
  readonly #work: WasmWorkspace;
  /** 1 to 100. */
  quality = JPEG_QUALITY;

  constructor(work: WasmWorkspace) {
    this.#work = work;
  }

  accepts(source: ImageSource): boolean {
    // A JPEG header has 16 bits for each side.
    return source.format in LAYOUTS && source.width < 65536 && source.height < 65536 && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    const stream = this.encodeFrame(source);
    return stream !== undefined && stream.length < sourceBytes(source) ? stream : undefined;
  }

  /** As encode, but whatever the size: a video stream has no raw frames to send instead. */
  encodeFrame(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const work = this.#work;
    const { width, height, topDown } = source;
    const rows = work.place(source);
    // JPEG always begins with the top row.
    const top = topDown ? rows.pointer : rows.pointer + (height - 1) * rows.stride;
    const stride = topDown ? rows.stride : -rows.stride;
    const out = work.reserveOutput(work.module.jpegBound(width, height));
    const length = work.module.jpegEncode(
      top,
      stride,
      width,
      height,
      LAYOUTS[source.format],
      this.quality,
      out,
    );
    return work.stream(out, length);
  }
}

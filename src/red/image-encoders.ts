import type { ImageEncoder, ImageSource } from "../image/index.ts";
import {
  BitmapFmt,
  ImageType,
  LzEncoder,
  LzWorkspace,
  QuicEncoder,
  isPalette,
  rowBytes,
  sourceBytes,
} from "../image/index.ts";
import { gradualityOf } from "./graduality.ts";
import { MIN_COMPRESS_BYTES } from "./limits.ts";

import { ImageCompression } from "../protocol/index.ts";

/** What a client can decode and wants. Clients with equal preferences share encodings. */
export interface ImagePreference {
  /** SpiceImageCompression. */
  readonly compression: number;
  /** Capability LZ4_COMPRESSION. */
  readonly lz4: boolean;
}

/** An image ready for the wire: the type-dependent part of a SpiceImage, owned and never changed again. */
export interface EncodedImage {
  /** SpiceImageType. */
  readonly imageType: number;
  readonly width: number;
  readonly height: number;
  /** SpiceBitmapFmt of the pixels that were encoded. */
  readonly format: number;
  /** Bytes between rows of a BITMAP, 0 for compressed images. */
  readonly stride: number;
  readonly data: Uint8Array;
  readonly palette: Uint32Array | undefined;
}

/** The encoders of one red worker: they keep scratch memory, so one set serves all its clients in turn. */
export class ImageEncoders {
  readonly #quic: ImageEncoder = new QuicEncoder();
  readonly #lz: ImageEncoder;
  readonly #lzPlt: ImageEncoder;

  constructor() {
    const workspace = new LzWorkspace();
    this.#lz = new LzEncoder("lz", workspace);
    this.#lzPlt = new LzEncoder("lz_plt", workspace);
  }

  /** Encodes by the rules of spice-server's dcc_compress_image; falls back to BITMAP whenever there is no gain. */
  encode(source: ImageSource, preference: ImagePreference): EncodedImage {
    const encoder = this.#choose(source, preference);
    const data = encoder?.encode(source);
    if (encoder === undefined || data === undefined) return rawImage(source);
    return {
      imageType: encoder.imageType,
      width: source.width,
      height: source.height,
      format: source.format,
      stride: 0,
      // The encoder's view is scratch memory.
      data: data.slice(),
      palette: source.palette,
    };
  }

  #choose(source: ImageSource, preference: ImagePreference): ImageEncoder | undefined {
    const { compression } = preference;
    if (sourceBytes(source) < MIN_COMPRESS_BYTES || compression === ImageCompression.Off) return undefined;
    const quic = this.#quic.accepts(source) && source.format !== BitmapFmt.A8;
    if (compression === ImageCompression.Quic) return quic ? this.#quic : undefined;
    const automatic = compression === ImageCompression.AutoGlz || compression === ImageCompression.AutoLz;
    if (automatic && quic && gradualityOf(source) === "high") return this.#quic;
    const lz = isPalette(source.format) ? this.#lzPlt : this.#lz;
    return lz.accepts(source) ? lz : undefined;
  }
}

/** A BITMAP: packed rows, top-down, each padded to four bytes as pixman wants them. */
export function rawImage(source: ImageSource): EncodedImage {
  const { format, width, height, bytes } = source;
  const row = rowBytes(format, width);
  const stride = (row + 3) & ~3;
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const line = source.topDown ? y : height - 1 - y;
    const at = source.offset + line * source.stride;
    data.set(bytes.subarray(at, at + row), y * stride);
  }
  return { imageType: ImageType.BITMAP, width, height, format, stride, data, palette: source.palette };
}

import type { ImageCodecs, ImageEncoder, ImageSource } from "../image/index.ts";
import {
  BitmapFmt,
  GlzDictionary,
  HeapLimitError,
  ImageType,
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
  readonly #codecs: ImageCodecs;

  constructor(codecs: ImageCodecs) {
    this.#codecs = codecs;
  }

  /**
   * Encodes by the rules of spice-server's dcc_compress_image; falls back to BITMAP whenever there is no gain. The GLZ settings give
   * LZ here: its streams can be shared by clients, those of GLZ (see {@link encodeGlz}) cannot.
   */
  encode(source: ImageSource, preference: ImagePreference): EncodedImage {
    return this.#encodeWith(this.#choose(source, preference), source) ?? this.#raw(source);
  }

  /** A GLZ stream over that client's dictionary, or undefined if the image is not for it. It must be sent to the client at once. */
  encodeGlz(source: ImageSource, dictionary: GlzDictionary): EncodedImage | undefined {
    if (sourceBytes(source) < MIN_COMPRESS_BYTES) return undefined;
    const encoder = this.#codecs.glz(dictionary);
    return encoder.accepts(source) ? this.#encodeWith(encoder, source) : undefined;
  }

  /** A dictionary for a client with such a window; undefined if the window or our memory is too small. */
  openDictionary(id: number, windowPixels: number): GlzDictionary | undefined {
    if (!GlzDictionary.supports(windowPixels)) return undefined;
    try {
      return new GlzDictionary(this.#codecs.heap, id, windowPixels);
    } catch (error) {
      if (error instanceof HeapLimitError) return undefined;
      throw error;
    }
  }

  #encodeWith(encoder: ImageEncoder | undefined, source: ImageSource): EncodedImage | undefined {
    const data = encoder?.encode(source);
    if (encoder === undefined || data === undefined) return undefined;
    const { width, height, format, palette } = source;
    // The encoder's view is scratch memory.
    return { imageType: encoder.imageType, width, height, format, stride: 0, data: data.slice(), palette };
  }

  #raw(source: ImageSource): EncodedImage {
    // A view of the heap that was given to an encoder may have been left behind by the heap's growth.
    return rawImage(source.bytes.length === 0 ? { ...source, bytes: this.#codecs.heap.u8 } : source);
  }

  #choose(source: ImageSource, preference: ImagePreference): ImageEncoder | undefined {
    const { quic, lz, lz_plt: lzPlt, lz4 } = this.#codecs.encoders;
    const { compression } = preference;
    if (sourceBytes(source) < MIN_COMPRESS_BYTES || compression === ImageCompression.Off) return undefined;
    const quicAble = quic.accepts(source) && source.format !== BitmapFmt.Bit8A;
    if (compression === ImageCompression.Quic) return quicAble ? quic : undefined;
    const automatic = compression === ImageCompression.AutoGlz || compression === ImageCompression.AutoLz;
    if (automatic && quicAble && gradualityOf(source) === "high") return quic;
    if (compression === ImageCompression.Lz4 && preference.lz4 && lz4.accepts(source)) return lz4;
    const encoder = isPalette(source.format) ? lzPlt : lz;
    return encoder.accepts(source) ? encoder : undefined;
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
  return { imageType: ImageType.Bitmap, width, height, format, stride, data, palette: source.palette };
}

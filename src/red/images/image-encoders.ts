import type { CodecFacts, ImageCodec, ImageCodecs, ImageEncoder, ImageSource } from "../../image/index.ts";
import {
  GlzDictionary,
  HeapLimitError,
  ImageType,
  chooseCodec,
  gradualityOf,
  rowBytes,
} from "../../image/index.ts";
import { ImageCompression } from "../../protocol/index.ts";
import { ENCODE_COST, PLAIN_ENCODE_COST } from "../limits.ts";

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
  /** Whether the first row in memory is the top one: some image types say so beside their data. */
  readonly topDown: boolean;
  /** glz_data_size of ZLIB_GLZ_RGB, jpeg_size of JPEG_ALPHA; 0 for others. */
  readonly innerBytes: number;
  readonly data: Uint8Array;
  readonly palette: Uint32Array | undefined;
}

/** The encoders of one red worker: they keep scratch memory, so one set serves all its clients in turn. */
export class ImageEncoders {
  readonly #codecs: ImageCodecs;

  constructor(codecs: ImageCodecs) {
    this.#codecs = codecs;
  }

  /** Cost units of a pixel, whatever the codec. */
  get pixelCost(): number {
    return this.#codecs.accelerated ? ENCODE_COST : PLAIN_ENCODE_COST;
  }

  /**
   * Encodes by the rules of spice-server's dcc_compress_image (see chooseCodec); falls back to BITMAP whenever there is no gain. The GLZ
   * settings give LZ here: its streams can be shared by clients, those of GLZ (see {@link encodeGlz}) cannot. Nothing lossy is chosen,
   * since nobody keeps account of what a client would have in lower quality.
   */
  encode(source: ImageSource, preference: ImagePreference): EncodedImage {
    const codec = chooseCodec(factsOf(source, preference));
    return this.#encodeWith(this.#encoder(codec), source) ?? this.#raw(source);
  }

  /**
   * A GLZ stream over that client's dictionary, or undefined if the image is not for it. It must be sent to the client at once.
   * @param zlib for a client on a slow line: what gains by zlib is wrapped in it.
   */
  encodeGlz(source: ImageSource, dictionary: GlzDictionary, zlib: boolean): EncodedImage | undefined {
    const preference = { compression: ImageCompression.Glz, lz4: false };
    const codec = chooseCodec(factsOf(source, preference, { glzWindow: dictionary.capacity, zlib }));
    // Without a place in the dictionary it is an image as any other.
    if (codec !== "glz" && codec !== "zlib_glz") return undefined;
    return this.#encodeWith(this.#encoder(codec, dictionary), source);
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
    const { imageType, innerBytes = 0 } = encoder;
    const { width, height, format, topDown, palette } = source;
    // The encoder's view is scratch memory.
    return { imageType, width, height, format, stride: 0, topDown, innerBytes, data: data.slice(), palette };
  }

  #raw(source: ImageSource): EncodedImage {
    // A view of the heap that was given to an encoder may have been left behind by the heap's growth.
    return rawImage(source.bytes.length === 0 ? { ...source, bytes: this.#codecs.heap.u8 } : source);
  }

  #encoder(codec: ImageCodec, dictionary?: GlzDictionary): ImageEncoder | undefined {
    switch (codec) {
      case "raw":
        return undefined;
      case "glz":
        return dictionary && this.#codecs.glz(dictionary);
      case "zlib_glz":
        return dictionary && this.#codecs.zlibGlz(dictionary);
      default:
        return this.#codecs.encoders[codec];
    }
  }
}

/** What the choice of a codec asks about; the graduality of the pixels only if it is asked for. */
function factsOf(
  source: ImageSource,
  preference: ImagePreference,
  more: Partial<CodecFacts> = {},
): CodecFacts {
  const { format, width, height } = source;
  return {
    format,
    width,
    height,
    ...preference,
    ...more,
    get graduality() {
      return gradualityOf(source);
    },
  };
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
  const { palette } = source;
  return {
    imageType: ImageType.Bitmap,
    width,
    height,
    format,
    stride,
    topDown: true,
    innerBytes: 0,
    data,
    palette,
  };
}

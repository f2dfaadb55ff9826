import { bitsPerPixel, rowBytes } from "./formats.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "./limits.ts";

/**
 * Pixels to encode. Memory row `r` (0 <= r < height) starts at byte `offset + r * stride` of `bytes`; `stride` is in bytes, may
 * exceed the row (a rectangle of a larger surface) and may be negative. With `topDown` memory row 0 is the top of the picture,
 * otherwise the bottom. Channel order in memory is B, G, R, then pad or alpha; 16-bit pixels are little-endian 1-5-5-5.
 */
export interface ImageSource {
  /** SpiceBitmapFmt, 1..10. */
  format: number;
  width: number;
  height: number;
  stride: number;
  offset: number;
  bytes: Uint8Array;
  topDown: boolean;
  /** Colours 0x00RRGGBB of a palette format. The codecs pass indices through and never read it. */
  palette?: Uint32Array;
}

/** The ways to compress an image, by name. */
export type CompressedCodec = "quic" | "lz" | "lz_plt" | "glz" | "zlib_glz" | "lz4" | "jpeg" | "jpeg_alpha";

/** One way to compress an image for one kind of SpiceImage. Not re-entrant; keeps its scratch memory from image to image. */
export interface ImageEncoder {
  readonly name: CompressedCodec;
  /** SpiceImageType of the SpiceImage whose data this makes. That of the last stream for zlib_glz, which may leave GLZ as it is. */
  readonly imageType: number;
  /** What the SpiceImage says beside the data of the last stream: its glz_data_size (ZLIB_GLZ_RGB) or jpeg_size (JPEG_ALPHA). */
  readonly innerBytes?: number;
  /** Whether the format, the size and the memory layout can be encoded. */
  accepts(source: ImageSource): boolean;
  /**
   * The stream as it goes into the SpiceImage's data; the view is valid until the next call of any encoder of the same set.
   * `undefined`: no gain over the raw bitmap, or not accepted; send the bitmap instead.
   */
  encode(source: ImageSource): Uint8Array | undefined;
}

/** A decoded picture: an ImageSource that owns its bytes, rows without padding. */
export interface DecodedImage extends ImageSource {
  /** SpiceImageType it came from. */
  imageType: number;
}

/** What a decoder may be told beside the stream. */
export interface DecodeHints {
  /** Reused for the pixels when it is large enough, so that a steady state allocates nothing. */
  into?: Uint8Array;
  /** Size from the SpiceImage's descriptor. LZ4 needs it, since its stream does not tell; the others ignore it. */
  width?: number;
  height?: number;
  /** What the SpiceImage says beside the data: glz_data_size of ZLIB_GLZ_RGB, jpeg_size of JPEG_ALPHA; the others ignore it. */
  innerBytes?: number;
}

/** The inverse of an ImageEncoder. */
export interface ImageDecoder {
  readonly name: string;
  /** SpiceImageTypes that it decodes. */
  readonly imageTypes: readonly number[];
  /**
   * Decodes a whole stream; never reads or writes outside its buffers whatever the bytes are.
   * @throws ImageDecodeError on bad input.
   */
  decode(bytes: Uint8Array, hints?: DecodeHints): DecodedImage;
}

/** Whether the source is well-formed: a known format, a size within the limits, and every row inside `bytes`. */
export function isValidSource(source: ImageSource): boolean {
  const { format, width, height, stride, offset, bytes } = source;
  if (bitsPerPixel(format) === 0) return false;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) return false;
  if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE || width * height > MAX_IMAGE_PIXELS) return false;
  if (!Number.isInteger(stride) || !Number.isInteger(offset)) return false;
  const last = offset + (height - 1) * stride;
  return Math.min(offset, last) >= 0 && Math.max(offset, last) + rowBytes(format, width) <= bytes.length;
}

/** Bytes of the picture without padding: what the raw bitmap would cost, and the bar an encoder has to pass. */
export function sourceBytes(source: ImageSource): number {
  return rowBytes(source.format, source.width) * source.height;
}

/** A buffer of at least `length` bytes: `into` if it is large enough, else a new one; cut to `length`. */
export function outputBuffer(length: number, into: Uint8Array | undefined): Uint8Array {
  return into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
}

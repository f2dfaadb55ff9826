import { Unzlib, zlibSync } from "fflate";
import { ImageDecodeError } from "../error.ts";
import { ImageType } from "../formats.ts";
import type { GlzDecoder } from "./glz-decode.ts";
import { ZLIB_GLZ_MAX_BYTES, ZLIB_GLZ_MIN_BYTES } from "../limits.ts";
import type { DecodeHints, DecodedImage, ImageDecoder, ImageEncoder, ImageSource } from "../source.ts";

/** libspice-server's level: more costs much and gains little over GLZ. */
const ZLIB_LEVEL = 3;

/** Bytes that deflate makes of one at most (RFC 1951: a match of 258 in two bits, and some rest). */
const DEFLATE_MAX_RATIO = 1032;

/** Bytes that are inflated at a time. */
const PIECE_BYTES = 4096;

/**
 * ZLIB_GLZ_RGB: a zlib stream (RFC 1950) around a GLZ stream. Where that gains nothing the GLZ stream itself is given, since it is in
 * the client's dictionary by then and has to be sent: `imageType` tells which.
 */
export class ZlibGlzEncoder implements ImageEncoder {
  readonly name = "zlib_glz";
  imageType: ImageType = ImageType.GlzRgb;
  innerBytes = 0;
  private readonly glz: ImageEncoder;

  constructor(glz: ImageEncoder) {
    this.glz = glz;
  }

  accepts(source: ImageSource): boolean {
    return this.glz.accepts(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    const stream = this.glz.encode(source);
    this.imageType = ImageType.GlzRgb;
    if (stream === undefined || stream.length < ZLIB_GLZ_MIN_BYTES) return stream;
    const wrapped = zlibSync(stream, { level: ZLIB_LEVEL });
    if (wrapped.length >= stream.length) return stream;
    this.imageType = ImageType.ZlibGlzRgb;
    this.innerBytes = stream.length;
    return wrapped;
  }
}

/** Decodes ZLIB_GLZ_RGB over a GLZ decoder, whose window it shares. The hints must tell the size of the GLZ stream. */
export class ZlibGlzDecoder implements ImageDecoder {
  readonly name = "zlib_glz";
  readonly imageTypes = [ImageType.ZlibGlzRgb];
  private readonly glz: GlzDecoder;
  private inflated = new Uint8Array(0);

  constructor(glz: GlzDecoder) {
    this.glz = glz;
  }

  /** @throws ImageDecodeError of codec "zlib_glz" with an offset in `bytes`, or of "glz" with one in the stream within. */
  decode(bytes: Uint8Array, hints: DecodeHints = {}): DecodedImage {
    const image = this.glz.decode(this.inflate(bytes, hints.innerBytes ?? 0), { into: hints.into });
    return { ...image, imageType: ImageType.ZlibGlzRgb };
  }

  private inflate(bytes: Uint8Array, size: number): Uint8Array {
    let at = 0;
    const fail = (problem: string) => new ImageDecodeError("zlib_glz", at, problem);
    if (size < 1 || size > Math.min(ZLIB_GLZ_MAX_BYTES, bytes.length * DEFLATE_MAX_RATIO))
      throw fail(`GLZ stream of ${size} bytes is not in ${bytes.length}`);
    if (this.inflated.length < size) this.inflated = new Uint8Array(size);
    let end = 0;
    const inflate = new Unzlib((piece) => {
      if (piece.length > size - end) throw fail(`inflates to more than ${size} bytes`);
      this.inflated.set(piece, end);
      end += piece.length;
    });
    // Piece by piece: a bomb is stopped within the piece in which it passes the size, and an error has a place.
    for (; at < bytes.length; at += PIECE_BYTES) {
      const next = Math.min(bytes.length, at + PIECE_BYTES);
      try {
        inflate.push(bytes.subarray(at, next), next === bytes.length);
      } catch (error) {
        throw error instanceof ImageDecodeError ? error : fail(String(error));
      }
    }
    at = bytes.length;
    if (end !== size) throw fail(`inflates to ${end} of ${size} bytes`);
    const stream = this.inflated.subarray(0, size);
    if (
      bytes.length < 4 ||
      adler32(stream) !== new DataView(bytes.buffer, bytes.byteOffset + at - 4).getUint32(0)
    )
      throw fail("wrong Adler-32 checksum");
    return stream;
  }
}

/** RFC 1950's checksum. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let i = 0; i < bytes.length;) {
    // As many as cannot overflow 32 bits.
    for (const end = Math.min(bytes.length, i + 3800); i < end; i++) {
      a += bytes[i];
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

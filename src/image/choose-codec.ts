import { ImageCompression } from "../protocol/enums.ts";
import { BitmapFmt, isPalette, rowBytes } from "./formats.ts";
import type { Graduality } from "./graduality.ts";
import { MIN_COMPRESS_BYTES, QUIC_MIN_SIDE } from "./limits.ts";
import type { CompressedCodec } from "./source.ts";

/** How an image is sent: a codec of the table, or as it is. */
export type ImageCodec = "raw" | CompressedCodec;

/** What the choice of a codec depends on. */
export interface CodecFacts {
  /** SpiceBitmapFmt. */
  readonly format: number;
  readonly width: number;
  readonly height: number;
  /** Whether there are bytes between the rows that the codec cannot step over (the encoders of src/image all can). */
  readonly extraStride?: boolean;
  /** SpiceImageCompression: the client's wish, or the channel's setting. */
  readonly compression: number;
  /** How photo-like the pixels are; asked only where it matters, so that a getter may find it out. */
  readonly graduality: Graduality;
  /** Capability LZ4_COMPRESSION of the client. */
  readonly lz4: boolean;
  /** Pixels of the GLZ dictionary that this image may go into, 0 if there is none for it (an encoding that clients share). */
  readonly glzWindow?: number;
  /** Whether the client's surface may lose quality here, and whether JPEG is on (the client's line is slow). */
  readonly lossyAllowed?: boolean;
  readonly jpeg?: boolean;
  /** Whether zlib around GLZ is on (the client's line is slow). */
  readonly zlib?: boolean;
}

/**
 * The codec for an image, by the rules of spice-server's dcc_compress_image. A codec that turns out to gain nothing gives no stream:
 * the bitmap is sent then, or for GLZ what this function says without a window.
 */
export function chooseCodec(facts: CodecFacts): ImageCodec {
  const { format, width, height, compression } = facts;
  if (rowBytes(format, width) * height < MIN_COMPRESS_BYTES) return "raw";
  switch (compression) {
    case ImageCompression.Quic:
      return isQuicAble(facts) ? quicOrJpeg(facts) : "raw";
    case ImageCompression.AutoGlz:
    case ImageCompression.AutoLz:
      if (isQuicAble(facts) && (facts.graduality === "high" || facts.extraStride)) return quicOrJpeg(facts);
      return lzFamily(facts, compression === ImageCompression.AutoGlz);
    case ImageCompression.Glz:
      return lzFamily(facts, true);
    case ImageCompression.Lz:
      return lzFamily(facts, false);
    case ImageCompression.Lz4:
      return !facts.extraStride && facts.lz4 && isColor(format) ? "lz4" : lzFamily(facts, false);
    default:
      return "raw";
  }
}

/** Formats with colour channels: what QUIC, GLZ and LZ4 are for. Clients abort at an 8BIT_A image in LZ4. */
function isColor(format: number): boolean {
  return format >= BitmapFmt.Bit16 && format <= BitmapFmt.Rgba;
}

function isQuicAble({ format, width, height }: CodecFacts): boolean {
  return isColor(format) && width >= QUIC_MIN_SIDE && height >= QUIC_MIN_SIDE;
}

function quicOrJpeg({ format, extraStride, lossyAllowed, jpeg }: CodecFacts): ImageCodec {
  const alpha = format === BitmapFmt.Rgba;
  if (!lossyAllowed || !jpeg || (alpha && extraStride)) return "quic";
  return alpha ? "jpeg_alpha" : "jpeg";
}

function lzFamily(facts: CodecFacts, glz: boolean): ImageCodec {
  const { format, width, height, extraStride, glzWindow = 0, zlib } = facts;
  if (extraStride) return "raw";
  if (glz && isColor(format) && width * height < glzWindow) return zlib ? "zlib_glz" : "glz";
  if (isPalette(format)) return "lz_plt";
  return isColor(format) || format === BitmapFmt.Bit8A ? "lz" : "raw";
}

/**
 * Image codecs of SPICE (QUIC, LZ, GLZ, zlib over GLZ, LZ4, JPEG) and the choice between them, the WebAssembly memory that surfaces live in, and blits on it.
 *
 * ```ts
 * const heap = new SurfaceHeap();
 * const codecs = createCodecs(heap, await loadImageModule(await (await fetch(wasmUrl)).arrayBuffer(), heap));
 * const stream = codecs.encoders.quic.encode({ format: 8, width, height, stride, offset: pointer, bytes: heap.u8, topDown: true });
 * ```
 * @packageDocumentation
 */
export { chooseCodec } from "./choose-codec.ts";
export type { CodecFacts, ImageCodec } from "./choose-codec.ts";
export { createCodecs, createDecoders } from "./codecs.ts";
export type { EncoderTable, ImageCodecs } from "./codecs.ts";
export { ImageDecodeError } from "./error.ts";
export { BitmapFmt, ImageType, bitsPerPixel, isPalette, rowBytes } from "./formats.ts";
export { GlzDecoder, GlzImageMissingError, GlzWindow } from "./glz/glz-decode.ts";
export { GlzDictionary } from "./glz/glz-dictionary.ts";
export { GlzEncoder } from "./glz/glz-encode.ts";
export { gradualityOf } from "./graduality.ts";
export type { Graduality } from "./graduality.ts";
export { HeapLimitError, Scratch, SurfaceHeap } from "./heap.ts";
export { JpegAlphaDecoder, JpegAlphaEncoder } from "./jpeg/jpeg-alpha.ts";
export { JpegDecoder } from "./jpeg/jpeg-decode.ts";
export { JPEG_QUALITY, WasmJpegEncoder } from "./jpeg/jpeg-encode.ts";
export * from "./limits.ts";
export { Lz4Decoder } from "./lz4/lz4-decode.ts";
export { Lz4Encoder } from "./lz4/lz4-encode.ts";
export { LzDecoder } from "./lz/lz-decode.ts";
export { LzEncoder, LzWorkspace } from "./lz/lz-encode.ts";
export { loadImageModule } from "./module.ts";
export type { ImageModule } from "./module.ts";
export { hashPixels } from "./pixel-hash.ts";
export { PlatformJpegEncoder } from "./jpeg/platform-jpeg.ts";
export { Rop2 } from "./primitives.ts";
export type { SurfacePrimitives } from "./primitives.ts";
export { PlainPrimitives } from "./primitives-plain.ts";
export { QuicDecoder } from "./quic/quic-decode.ts";
export { quicImages } from "./quic/quic-images.ts";
export { QuicEncoder } from "./quic/quic-encode.ts";
export { isValidSource, outputBuffer, sourceBytes } from "./source.ts";
export type {
  CompressedCodec,
  DecodeHints,
  DecodedImage,
  ImageDecoder,
  ImageEncoder,
  ImageSource,
} from "./source.ts";
export { ZlibGlzDecoder, ZlibGlzEncoder } from "./glz/zlib-glz.ts";

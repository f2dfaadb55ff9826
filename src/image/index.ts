/**
 * Image codecs of SPICE: QUIC, LZ, GLZ, LZ4, each an encoder and a decoder, and the WebAssembly memory that surfaces live in.
 * @packageDocumentation
 */
export { ImageDecodeError } from "./error.ts";
export { BitmapFmt, ImageType, bitsPerPixel, isPalette, rowBytes } from "./formats.ts";
export { LzDecoder } from "./lz-decode.ts";
export { LzEncoder, LzWorkspace } from "./lz-encode.ts";
export { QuicDecoder } from "./quic-decode.ts";
export { QuicEncoder } from "./quic-encode.ts";
export { isValidSource, sourceBytes } from "./source.ts";
export type { DecodedImage, ImageDecoder, ImageEncoder, ImageSource } from "./source.ts";

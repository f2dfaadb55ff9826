import { GlzDecoder } from "./glz/glz-decode.ts";
import type { GlzDictionary } from "./glz/glz-dictionary.ts";
import { GlzEncoder } from "./glz/glz-encode.ts";
import { SurfaceHeap } from "./heap.ts";
import { Lz4Decoder } from "./lz4/lz4-decode.ts";
import { Lz4Encoder } from "./lz4/lz4-encode.ts";
import { JpegAlphaDecoder, JpegAlphaEncoder } from "./jpeg/jpeg-alpha.ts";
import { JpegDecoder } from "./jpeg/jpeg-decode.ts";
import { WasmJpegEncoder } from "./jpeg/jpeg-encode.ts";
import { LzDecoder } from "./lz/lz-decode.ts";
import { LzEncoder, LzWorkspace } from "./lz/lz-encode.ts";
import type { ImageModule } from "./module.ts";
import { PlatformJpegEncoder } from "./jpeg/platform-jpeg.ts";
import type { SurfacePrimitives } from "./primitives.ts";
import { PlainPrimitives } from "./primitives-plain.ts";
import { QuicDecoder } from "./quic/quic-decode.ts";
import { QuicEncoder } from "./quic/quic-encode.ts";
import type { ImageDecoder, ImageEncoder } from "./source.ts";
import { WasmGlzEncoder, WasmLz4Encoder, WasmLzEncoder, WasmQuicEncoder } from "./wasm-encoders.ts";
import { WasmWorkspace } from "./wasm-workspace.ts";
import { ZlibGlzDecoder, ZlibGlzEncoder } from "./glz/zlib-glz.ts";

/** The encoders that need nothing but pixels, by name. GLZ also needs a client's dictionary: ImageCodecs.glz and zlibGlz. */
export interface EncoderTable {
  readonly quic: ImageEncoder;
  readonly lz: ImageEncoder;
  readonly lz_plt: ImageEncoder;
  readonly lz4: ImageEncoder;
  /** Lossy; absent where WebAssembly SIMD is. */
  readonly jpeg?: WasmJpegEncoder;
  /** As jpeg, for RGBA. */
  readonly jpeg_alpha?: ImageEncoder;
}

/** Everything that compresses images for one thread, and the blits of its surfaces. */
export interface ImageCodecs {
  readonly heap: SurfaceHeap;
  /** Whether WebAssembly does the work; if not, the plain TypeScript twins do. */
  readonly accelerated: boolean;
  readonly encoders: EncoderTable;
  readonly primitives: SurfacePrimitives;
  /** A GLZ encoder over a client's dictionary, which must live in the same heap. */
  glz(dictionary: GlzDictionary): ImageEncoder;
  /** As glz, with zlib around what gains by it. */
  zlibGlz(dictionary: GlzDictionary): ImageEncoder;
  /** JPEG of large pictures, without SIMD too, for those who can wait; absent where the platform has none. */
  readonly platformJpeg?: PlatformJpegEncoder;
}

/** The encoders of one thread: in WebAssembly if the module is given, else in plain TypeScript. */
export function createCodecs(heap: SurfaceHeap = new SurfaceHeap(), module?: ImageModule): ImageCodecs {
  const platformJpeg = PlatformJpegEncoder.supported ? new PlatformJpegEncoder() : undefined;
  if (module === undefined) {
    const work = new LzWorkspace();
    return {
      heap,
      accelerated: false,
      encoders: {
        quic: new QuicEncoder(),
        lz: new LzEncoder("lz", work),
        lz_plt: new LzEncoder("lz_plt", work),
        lz4: new Lz4Encoder(),
      },
      primitives: new PlainPrimitives(heap),
      glz: (dictionary) => new GlzEncoder(dictionary),
      zlibGlz: (dictionary) => new ZlibGlzEncoder(new GlzEncoder(dictionary)),
      platformJpeg,
    };
  }
  const work = new WasmWorkspace(heap, module);
  const lz = new WasmLzEncoder("lz", work);
  const jpeg = new WasmJpegEncoder(work);
  return {
    heap,
    accelerated: true,
    encoders: {
      quic: new WasmQuicEncoder(work),
      lz,
      lz_plt: new WasmLzEncoder("lz_plt", work),
      lz4: new WasmLz4Encoder(work),
      jpeg,
      jpeg_alpha: new JpegAlphaEncoder(jpeg, (source) => lz.encodeAlpha(source)),
    },
    primitives: module,
    glz: (dictionary) => new WasmGlzEncoder(dictionary, work),
    zlibGlz: (dictionary) => new ZlibGlzEncoder(new WasmGlzEncoder(dictionary, work)),
    platformJpeg,
  };
}

/** Decoders of every SpiceImageType that has a stream, for one client: both GLZ decoders share that client's window. */
export function createDecoders(): ReadonlyMap<number, ImageDecoder> {
  const glz = new GlzDecoder();
  const decoders: ImageDecoder[] = [
    new QuicDecoder(),
    new LzDecoder(),
    glz,
    new ZlibGlzDecoder(glz),
    new Lz4Decoder(),
    new JpegDecoder(),
    new JpegAlphaDecoder(),
  ];
  return new Map(decoders.flatMap((decoder) => decoder.imageTypes.map((type) => [type, decoder] as const)));
}

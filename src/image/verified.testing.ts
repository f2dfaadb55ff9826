import { createHash } from "node:crypto";
import { createCodecs } from "./codecs.ts";
import { BitmapFmt, rowBytes } from "./formats.ts";
import { GlzDictionary } from "./glz/glz-dictionary.ts";
import type { SurfaceHeap } from "./heap.ts";
import type { ImageModule } from "./module.ts";
import { paint, paletteFormats, rgbFormats } from "./source.testing.ts";
import type { ImageEncoder, ImageSource } from "./source.ts";

/** A stream of ours with the picture it was made of. */
export interface OurStream {
  readonly source: ImageSource;
  readonly stream: Uint8Array;
  readonly imageType: number;
  readonly innerBytes: number;
}

/** An encoder with the formats that it is verified with. The encoders of the two GLZ codecs keep a window from picture to picture. */
export interface VerifiedCodec {
  readonly name: string;
  readonly formats: readonly number[];
  readonly encoder: ImageEncoder;
}

/** The encoders whose streams the reference decoders have to agree with. The plain twins make the same bytes, but for LZ4. */
export function verifiedCodecs(heap: SurfaceHeap, module: ImageModule): VerifiedCodec[] {
  const codecs = createCodecs(heap, module);
  const { quic, lz, lz_plt, lz4, jpeg, jpeg_alpha } = codecs.encoders;
  if (jpeg === undefined || jpeg_alpha === undefined) throw new Error("the module encodes no JPEG");
  const dictionary = (id: number) => new GlzDictionary(heap, id, 1 << 16);
  return [
    { name: "quic", formats: rgbFormats, encoder: quic },
    { name: "lz", formats: [...rgbFormats, BitmapFmt.Bit8A], encoder: lz },
    { name: "lz_plt", formats: paletteFormats, encoder: lz_plt },
    { name: "glz", formats: rgbFormats, encoder: codecs.glz(dictionary(1)) },
    { name: "zlib_glz", formats: rgbFormats, encoder: codecs.zlibGlz(dictionary(2)) },
    { name: "lz4", formats: rgbFormats, encoder: lz4 },
    { name: "lz4 (plain)", formats: rgbFormats, encoder: createCodecs(heap).encoders.lz4 },
    { name: "jpeg", formats: rgbFormats, encoder: jpeg },
    { name: "jpeg_alpha", formats: [BitmapFmt.Rgba], encoder: jpeg_alpha },
  ];
}

/** The picture of a seed: any size up to `maxSide`, any stride and orientation; the same one for the same arguments. */
export function verifiedPicture(format: number, seed: number, maxSide: number): ImageSource {
  const mix = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  const width = 1 + (mix % maxSide);
  const height = 1 + ((mix >>> 12) % maxSide);
  const stride = rowBytes(format, width) + [0, 0, 3, 8][seed & 3];
  const bytes = new Uint8Array(stride * height);
  paint(bytes, stride, Math.max(1, Math.floor(rowBytes(format, width) / width)), seed % 6, seed);
  return { format, width, height, stride, offset: 0, bytes, topDown: seed % 3 > 0 };
}

/**
 * The streams of pictures `from` to `to` of a format, in order. Every fourth picture is the one before with a byte changed, which is what
 * a GLZ window is for. Pictures without gain have none.
 */
export function* ourStreams(
  { encoder }: VerifiedCodec,
  format: number,
  from: number,
  to: number,
  maxSide: number,
): Generator<OurStream> {
  for (let seed = from; seed < to; seed++) {
    const again = seed % 4 === 3 && seed > from;
    const source = verifiedPicture(format, again ? seed - 1 : seed, maxSide);
    if (again) source.bytes[(seed * 977) % source.bytes.length] ^= 0x41;
    const stream = encoder.encode(source)?.slice();
    if (stream === undefined) continue;
    yield { source, stream, imageType: encoder.imageType, innerBytes: encoder.innerBytes ?? 0 };
  }
}

/** Pictures per codec and format whose streams are committed, as a hash each. */
const COMMITTED = 16;
const COMMITTED_SIDE = 90;

/** What vectors/ours.json keeps: for each codec and format the start of the SHA-256 of each stream. */
export interface VerifiedHashes {
  readonly codec: string;
  readonly format: number;
  readonly hashes: readonly string[];
}

/** The committed streams of ours; `see` gets each of them. */
export function committedStreams(
  codecs: readonly VerifiedCodec[],
  see: (codec: VerifiedCodec, stream: OurStream) => void = () => undefined,
): VerifiedHashes[] {
  return codecs.flatMap((codec) =>
    codec.formats.map((format) => {
      const hashes: string[] = [];
      for (const ours of ourStreams(codec, format, 0, COMMITTED, COMMITTED_SIDE)) {
        see(codec, ours);
        hashes.push(shortHash(ours.stream));
      }
      return { codec: codec.name, format, hashes };
    }),
  );
}

/** Start of the SHA-256: enough to notice a change. */
export function shortHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { DecodeHints, ImageEncoder, ImageModule, ImageSource } from "../../src/image/index.ts";
import {
  BitmapFmt,
  ImageType,
  SurfaceHeap,
  createCodecs,
  createDecoders,
  rowBytes,
} from "../../src/image/index.ts";
import { loadImageModuleFromFile } from "../../src/image/load.node.ts";
import {
  canonicalPixels,
  firstDifference,
  paletteFormats,
  rgbFormats,
} from "../../src/image/source.testing.ts";
import {
  committedStreams,
  ourStreams,
  verifiedCodecs,
  verifiedPicture,
} from "../../src/image/verified.testing.ts";
import type { ReferenceCodecs } from "./build.ts";
import { loadReference } from "./build.ts";
import { lzTypeOf } from "../../src/image/lz/lz-format.ts";
import { Disagreement, ReferenceComparison, fromRgb, quicTypeOf } from "./compare.ts";

const here = dirname(fileURLToPath(import.meta.url));
/** The streams of ours that were verified, for npm test. */
const OURS = join(here, "..", "..", "src", "image", "vectors", "ours.json");
const MAX_SIDE = 220;

/**
 * `npm run bench -- reference`: our streams through the reference's decoders, its streams through ours, pixel for pixel. Fails at the first
 * difference. With `--write` the hashes of our committed streams are written anew, once they all have passed.
 */
export async function runReference(args: string[]): Promise<void> {
  const options = {
    runs: { type: "string", default: "200" },
    write: { type: "boolean", default: false },
  } as const;
  const { values } = parseArgs({ args, options });
  const runs = Number(values.runs);
  const reference = loadReference();
  const heap = new SurfaceHeap();
  const module = await loadImageModuleFromFile(heap);
  verifyOurs(reference, heap, module, runs, values.write);
  verifyTheirs(reference, createCodecs(heap, module).encoders.quic, runs);
}

function verifyOurs(
  reference: ReferenceCodecs,
  heap: SurfaceHeap,
  module: ImageModule,
  runs: number,
  write: boolean,
): void {
  const comparison = new ReferenceComparison(reference);
  let last = "";
  // A dictionary starts with its codec.
  const hashes = committedStreams(verifiedCodecs(heap, module), ({ name }, ours) => {
    if (name !== last) comparison.reset();
    last = name;
    comparison.check(ours);
  });
  const count = hashes.reduce((sum, entry) => sum + entry.hashes.length, 0);
  console.log(`ours decoded by the reference: ${count} committed streams`);
  if (write) writeFileSync(OURS, `[\n${hashes.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
  for (const codec of verifiedCodecs(heap, module)) {
    comparison.reset();
    for (const format of codec.formats) {
      let streams = 0;
      for (const ours of ourStreams(codec, format, 1000, 1000 + runs, MAX_SIDE)) {
        comparison.check(ours);
        streams++;
      }
      console.log(
        `ours decoded by the reference: ${codec.name}, ${BitmapFmtName(format)}: ${streams} of ${runs} pictures`,
      );
    }
  }
}

const BitmapFmtName = (format: number): string =>
  Object.entries(BitmapFmt).find(([, value]) => value === format)?.[0] ?? String(format);

/** Streams of the reference's encoders for packed pictures, decoded by ours; those of QUIC must be ours byte by byte. */
function verifyTheirs(reference: ReferenceCodecs, quicEncoder: ImageEncoder, runs: number): void {
  const out = new Uint8Array(1 << 22);
  const decoders = createDecoders();
  /** The reference's GLZ window keeps pointers to the pixels. */
  const alive: ImageSource[] = [];
  reference.glzReset(1 << 20);
  const check = (
    what: string,
    type: number,
    length: number,
    source: ImageSource,
    hints?: DecodeHints,
  ): void => {
    const image = decoders.get(type)?.decode(out.slice(0, length), hints);
    if (image === undefined || firstDifference(canonicalPixels(image), canonicalPixels(source)) >= 0)
      throw new Disagreement(`${what} of the reference, format ${source.format}`);
  };
  const counts = new Map<string, number>();
  const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const format of [...rgbFormats, ...paletteFormats, BitmapFmt.Bit8A]) {
    for (let seed = 0; seed < runs; seed++) {
      const source = packed(verifiedPicture(format, seed, MAX_SIDE));
      const { width, height, stride, bytes } = source;
      const [lz, quic, down] = [lzTypeOf(format), quicTypeOf(format), Number(source.topDown)];
      check("lz", ImageType.LzRgb, reference.lzEncode(lz, width, height, down, stride, bytes, out), source);
      counted("lz");
      if (quic === 0) continue;
      alive.push(source);
      check(
        "glz",
        ImageType.GlzRgb,
        reference.glzEncode(lz, width, height, down, stride, bytes, out),
        source,
      );
      counted("glz");
      const lines = 1 + (seed % 40);
      check(
        "lz4",
        ImageType.Lz4,
        reference.lz4Encode(height, stride, down, format, lines, bytes, out),
        source,
        {
          width,
          height,
        },
      );
      counted("lz4");
      const shown = { ...source, topDown: true };
      const length = reference.quicEncode(quic, width, height, stride, bytes, out);
      check("quic", ImageType.Quic, length, shown);
      counted("quic");
      const mine = quicEncoder.encode(shown);
      // Ours makes none where there is no gain, nor below 3 x 3 pixels.
      if (mine === undefined) continue;
      if (firstDifference(mine, out.subarray(0, length)) >= 0)
        throw new Disagreement(`quic bytes, format ${format}`);
      counted("quic, the same bytes as ours");
    }
  }
  const rgb = new Uint8Array(1 << 22);
  for (const [kind, name] of ["YCbCr", "RGB", "gray", "scan per component"].entries()) {
    for (let seed = 0; seed < runs * 4; seed++) {
      const { width, height, bytes } = packed(verifiedPicture(BitmapFmt.Bit24, seed, MAX_SIDE));
      const [h, v] = JPEG_SAMPLINGS[seed % JPEG_SAMPLINGS.length];
      const quality = [100, 85, 50, 10, 1][seed % 5];
      const restart = [0, 1, 7][seed % 3];
      const length = reference.jpegCompress(quality, width, height, h, v, restart, kind, bytes, out);
      reference.jpegDecode(out.slice(0, length), rgb);
      check(`jpeg (${name}, ${h}x${v})`, ImageType.Jpeg, length, fromRgb(rgb, width, height));
      counted(`jpeg ${name}`);
    }
  }
  for (const [what, count] of counts)
    console.log(`the reference's decoded by ours: ${what}: ${count} pictures`);
}

/** Sampling factors of the luma: 4:4:4, 4:2:2, 4:4:0, 4:2:0, 4:1:1, 4:1:0 and its turned twins. */
export const JPEG_SAMPLINGS = [
  [1, 1],
  [2, 1],
  [1, 2],
  [2, 2],
  [4, 1],
  [4, 2],
  [1, 4],
  [2, 4],
] as const;

/** The picture without padding, and without the bits that its format does not carry. */
function packed(source: ImageSource): ImageSource {
  const bytes = canonicalPixels({ ...source, topDown: true });
  return { ...source, bytes, stride: rowBytes(source.format, source.width), offset: 0 };
}

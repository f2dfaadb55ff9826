// Writes src/image/vectors/reference.json: small streams made by the reference encoders, which src/image/reference.test.ts reads.
// Run: npx tsx bench/reference/vectors.ts   (builds the reference from Debian's source package first)
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rowBytes } from "../../src/image/index.ts";
import { paint } from "../../src/image/source.testing.ts";
import { loadReference } from "./build.ts";

const KINDS = 6;
/** Size of the picture of each kind. */
const SIZES = [
  [17, 11],
  [40, 9],
  [5, 61],
  [80, 21],
  [3, 3],
  [50, 16],
];
/** SpiceBitmapFmt to the reference's QuicImageType and LzImageType. */
const FORMATS = [
  { format: 6, quic: 2, lz: 6 },
  { format: 7, quic: 3, lz: 7 },
  { format: 8, quic: 4, lz: 8 },
  { format: 9, quic: 5, lz: 9 },
  { format: 5, quic: 0, lz: 5 },
  { format: 10, quic: 0, lz: 11 },
];

const reference = loadReference();
const out = new Uint8Array(1 << 20);
const vectors: Record<string, unknown>[] = [];
reference.glzReset(1 << 20);
/** The reference's window keeps pointers to the pixels. */
const alive: Uint8Array[] = [];
for (const { format, quic, lz } of FORMATS) {
  for (let kind = 0; kind < KINDS; kind++) {
    const [width, height] = SIZES[kind];
    const stride = rowBytes(format, width);
    const pixels = new Uint8Array(stride * height);
    const seed = 100 * format + kind;
    paint(pixels, stride, Math.max(1, Math.floor(stride / width)), kind, seed);
    // Bits that the formats do not carry.
    if (format === 8) for (let i = 3; i < pixels.length; i += 4) pixels[i] = 0;
    if (format === 6) for (let i = 1; i < pixels.length; i += 2) pixels[i] &= 0x7f;
    alive.push(pixels);
    const add = (codec: string, length: number): void => {
      const stream = Buffer.from(out.subarray(0, length)).toString("base64");
      vectors.push({ codec, format, width, height, kind, seed, stream });
    };
    if (quic !== 0) add("quic", reference.quicEncode(quic, width, height, stride, pixels, out));
    add("lz", reference.lzEncode(lz, width, height, 1, stride, pixels, out));
    if (quic !== 0) add("glz", reference.glzEncode(lz, width, height, 1, stride, pixels, out));
    // The same picture again: references to an older image.
    if (quic !== 0 && kind % 2 === 0)
      add("glz", reference.glzEncode(lz, width, height, 1, stride, pixels, out));
  }
}
const path = join(
  dirname(fileURLToPath(import.meta.url)),
  "..",
  "..",
  "src",
  "image",
  "vectors",
  "reference.json",
);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, `[\n${vectors.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`);
console.log(`${vectors.length} vectors, ${alive.length} pictures`);

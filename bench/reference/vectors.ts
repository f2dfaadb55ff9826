// Writes src/image/vectors/reference.json and reference-jpeg.json: small streams made by the reference encoders, which
// src/image/reference.test.ts reads.
// Run: npx tsx bench/reference/vectors.ts   (builds the reference from Debian's source packages first)
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rowBytes } from "../../src/image/index.ts";
import { paint } from "../../src/image/source.testing.ts";
import { shortHash } from "../../src/image/verified.testing.ts";
import { loadReference } from "./build.ts";
import { fromRgb } from "./compare.ts";
import { JPEG_SAMPLINGS } from "./verify.ts";

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
  { format: 1, quic: 0, lz: 1 },
  { format: 2, quic: 0, lz: 2 },
  { format: 3, quic: 0, lz: 3 },
  { format: 4, quic: 0, lz: 4 },
];
/** The reference's JpegEncoderImageType of the formats that have one. */
const JPEG_TYPES: Record<number, number> = { 6: 1, 7: 2, 8: 3 };

const reference = loadReference();
const out = new Uint8Array(1 << 20);
const vectors: Record<string, unknown>[] = [];
const jpegs: Record<string, unknown>[] = [];
const base64 = (length: number): string => Buffer.from(out.subarray(0, length)).toString("base64");

/** A JPEG with the hash of the pixels that libjpeg makes of it. */
function addJpeg(from: string, width: number, height: number, length: number): void {
  const rgb = new Uint8Array(width * height * 3);
  reference.jpegDecode(out.slice(0, length), rgb);
  const pixels = shortHash(fromRgb(rgb, width, height).bytes);
  jpegs.push({ from, width, height, pixels, stream: base64(length) });
}

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
      vectors.push({ codec, format, width, height, kind, seed, stream: base64(length) });
    };
    if (quic !== 0) add("quic", reference.quicEncode(quic, width, height, stride, pixels, out));
    add("lz", reference.lzEncode(lz, width, height, 1, stride, pixels, out));
    if (quic === 0) continue;
    add("glz", reference.glzEncode(lz, width, height, 1, stride, pixels, out));
    // The same picture again: references to an older image.
    if (kind % 2 === 0) add("glz", reference.glzEncode(lz, width, height, 1, stride, pixels, out));
    // In chunks of some lines, as the server has them from the guest.
    add("lz4", reference.lz4Encode(height, stride, 1, format, [height, 1, 7][kind % 3], pixels, out));
    // spice-server's own JPEGs.
    if (kind < 4 && format in JPEG_TYPES) {
      const type = JPEG_TYPES[format];
      addJpeg("spice", width, height, reference.jpegEncode(85, type, width, height, stride, pixels, out));
    }
  }
}

/** What libjpeg can vary: how the colours are coded, how they are sampled, quality, restart markers. */
const COLORS = ["YCbCr", "RGB", "gray", "YCbCr in a scan per component"];
for (const [kind, name] of COLORS.entries()) {
  for (const [index, [h, v]] of JPEG_SAMPLINGS.entries()) {
    const [width, height] = [
      [35, 21],
      [2, 19],
      [30, 3],
      [33, 18],
      [1, 1],
    ][(index + kind) % 5];
    const rgb = new Uint8Array(width * height * 3);
    paint(rgb, width * 3, 3, 1 + ((index + kind) % 5), 10 * index + kind);
    const quality = [85, 100, 30][index % 3];
    const restart = [0, 2, 1][(index + kind) % 3];
    addJpeg(
      `libjpeg, ${name}, ${h}x${v}, quality ${quality}, restart ${restart}`,
      width,
      height,
      reference.jpegCompress(quality, width, height, h, v, restart, kind, rgb, out),
    );
  }
}
const progressive = new Uint8Array(16 * 16 * 3);
paint(progressive, 48, 3, 1, 1);
addJpeg("progressive", 16, 16, reference.jpegCompress(85, 16, 16, 2, 2, 0, 4, progressive, out));

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "src", "image", "vectors");
mkdirSync(folder, { recursive: true });
for (const [name, list] of Object.entries({ "reference.json": vectors, "reference-jpeg.json": jpegs })) {
  writeFileSync(join(folder, name), `[\n${list.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`);
  console.log(`${name}: ${list.length} vectors`);
}

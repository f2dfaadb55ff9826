import { createCodecs, createDecoders } from "./codecs.ts";
import { ImageDecodeError } from "./error.ts";
import { BitmapFmt, ImageType, rowBytes } from "./formats.ts";
import { GlzDictionary } from "./glz/glz-dictionary.ts";
import { SurfaceHeap } from "./heap.ts";
import type { ImageModule } from "./module.ts";
import { paint, paletteFormats, rgbFormats } from "./source.testing.ts";
import type { DecodeHints, ImageDecoder, ImageEncoder, ImageSource } from "./source.ts";
import jpegVectors from "./vectors/reference-jpeg.json" with { type: "json" };
import vectors from "./vectors/reference.json" with { type: "json" };

/** Milliseconds of the processor for one stream, whatever else it does: the largest picture here takes well below one. */
const HANG_MS = 2_000;
/** Bytes around a decoder's output that must stay as they were. */
const GUARD = 64;
const GUARD_BYTE = 0xa5;
/** The largest picture that `into` has room for; what claims to be larger gets memory of its own. */
const AREA = 128 * 128 * 4;

/** A number below `limit`; the same ones for the same seed. */
export type Random = (limit: number) => number;

/** xorshift32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Changes some bytes, cuts the tail, doubles a piece: what transmission and malice do to a stream. */
export function mutate(stream: Uint8Array, random: Random): Uint8Array {
  let bytes = stream.slice();
  if (random(4) === 0) bytes = bytes.slice(0, random(bytes.length + 1));
  if (random(8) === 0 && bytes.length > 4) {
    const from = random(bytes.length);
    const piece = bytes.subarray(from, from + random(40));
    const joined = new Uint8Array(bytes.length + piece.length);
    joined.set(bytes.subarray(0, from));
    joined.set(piece, from);
    joined.set(bytes.subarray(from), from + piece.length);
    bytes = joined;
  }
  for (let changes = random(6); changes > 0 && bytes.length > 0; changes--) {
    // Headers are a small part of the bytes and most of the danger.
    const at = random(2) === 0 ? random(Math.min(bytes.length, 36)) : random(bytes.length);
    bytes[at] = [0, 255, 127, bytes[at] ^ (1 << random(8)), random(256)][random(5)];
  }
  return bytes;
}

/** A stream as a SpiceImage would carry it. */
interface Sample {
  readonly bytes: Uint8Array;
  readonly hints: DecodeHints;
}

/** What is fuzzed: the streams of an encoder, mutated, against the decoder of its image type. */
export interface FuzzTarget {
  readonly name: string;
  readonly formats: readonly number[];
  readonly imageType: ImageType;
  readonly encoder: ImageEncoder;
}

/** Every decoder of the table, LZ once for colours and once for palettes. JPEG needs the module, which encodes it. */
export function fuzzTargets(heap: SurfaceHeap, module: ImageModule): FuzzTarget[] {
  const codecs = createCodecs(heap, module);
  const { quic, lz, lz_plt, lz4, jpeg, jpeg_alpha } = codecs.encoders;
  if (jpeg === undefined || jpeg_alpha === undefined) throw new Error("the module encodes no JPEG");
  const glz = codecs.glz(new GlzDictionary(heap, 1, 1 << 20));
  const zlibGlz = codecs.zlibGlz(new GlzDictionary(heap, 2, 1 << 20));
  return [
    { name: "quic", formats: rgbFormats, imageType: ImageType.Quic, encoder: quic },
    { name: "lz", formats: [...rgbFormats, BitmapFmt.Bit8A], imageType: ImageType.LzRgb, encoder: lz },
    { name: "lz_plt", formats: paletteFormats, imageType: ImageType.LzPlt, encoder: lz_plt },
    { name: "glz", formats: rgbFormats, imageType: ImageType.GlzRgb, encoder: glz },
    { name: "zlib_glz", formats: rgbFormats, imageType: ImageType.ZlibGlzRgb, encoder: zlibGlz },
    { name: "lz4", formats: rgbFormats, imageType: ImageType.Lz4, encoder: lz4 },
    { name: "jpeg", formats: rgbFormats, imageType: ImageType.Jpeg, encoder: jpeg },
    { name: "jpeg_alpha", formats: [BitmapFmt.Rgba], imageType: ImageType.JpegAlpha, encoder: jpeg_alpha },
  ];
}

function picture(formats: readonly number[], random: Random): ImageSource {
  const format = formats[random(formats.length)];
  const [width, height] = [1 + random(64), 1 + random(48)];
  const stride = rowBytes(format, width);
  const bytes = new Uint8Array(stride * height);
  paint(bytes, stride, Math.max(1, Math.floor(stride / width)), random(6), random(1 << 30));
  return { format, width, height, stride, offset: 0, bytes, topDown: random(2) === 0 };
}

/** Streams of the reference's encoders, which use what ours do not: samplings, restart markers, many chunks. */
function referenceSamples({ name, formats }: FuzzTarget): Sample[] {
  const codec = name === "lz_plt" ? "lz" : name;
  const mine = vectors.filter((vector) => vector.codec === codec && formats.includes(vector.format));
  return [...mine, ...(name === "jpeg" ? jpegVectors : [])].map(({ stream, width, height }) => ({
    bytes: new Uint8Array(Buffer.from(stream, "base64")),
    hints: { width, height },
  }));
}

/** Streams that mutations begin with. */
function samplesOf(target: FuzzTarget, random: Random, count = 60): Sample[] {
  const samples = referenceSamples(target);
  for (const end = samples.length + count; samples.length < end;) {
    const source = picture(target.formats, random);
    const stream = target.encoder.encode(source)?.slice();
    if (stream === undefined || target.encoder.imageType !== target.imageType) continue;
    const { width, height } = source;
    samples.push({ bytes: stream, hints: { width, height, innerBytes: target.encoder.innerBytes } });
  }
  return samples;
}

/** Sizes beside a stream are as hostile as the stream. */
function mutateHints(hints: DecodeHints, random: Random): DecodeHints {
  if (random(4) > 0) return hints;
  const { width = 0, height = 0, innerBytes = 0 } = hints;
  const change = (value: number) => [value, value + 1, value - 1, 0, 0xffffffff, random(1 << 16)][random(6)];
  return { width: change(width), height: change(height), innerBytes: change(innerBytes) };
}

/**
 * Decodes `runs` mutated streams of a target. Nothing but an ImageDecodeError with an offset inside the stream may come out, nothing may
 * hang, nothing may be written beside the picture.
 * @throws Error with the stream, as base64, that broke a rule. Returns how many streams were decoded all the same.
 */
export function fuzzDecoder(target: FuzzTarget, runs: number, seed: number): number {
  const random = seededRandom(seed);
  const samples = samplesOf(target, random);
  const memory = new Uint8Array(AREA + 2 * GUARD).fill(GUARD_BYTE);
  const into = memory.subarray(GUARD, GUARD + AREA);
  let decoder: ImageDecoder | undefined;
  let decoded = 0;
  for (let run = 0; run < runs; run++) {
    // A decoder goes on after an error; now and then a new one, since a GLZ window remembers.
    if (run % 1000 === 0) decoder = createDecoders().get(target.imageType);
    if (decoder === undefined) throw new Error(`no decoder of image type ${target.imageType}`);
    const sample = samples[random(samples.length)];
    const stream = mutate(sample.bytes, random);
    const hints = { ...mutateHints(sample.hints, random), into };
    const fail = (problem: string): Error =>
      new Error(
        `${target.name}, run ${run}: ${problem}\nhints: ${JSON.stringify({ ...hints, into: undefined })}\nstream: ${Buffer.from(stream).toString("base64")}`,
      );
    const start = process.cpuUsage();
    try {
      decoder.decode(stream, hints);
      decoded++;
    } catch (error) {
      if (!(error instanceof ImageDecodeError)) throw fail(String(error));
      // The parts of a wrapped stream have offsets of their own.
      if (!(error.offset >= 0) || (error.codec === target.name && error.offset > stream.length))
        throw fail(`offset ${error.offset} of ${stream.length}`);
    }
    if (process.cpuUsage(start).user / 1_000 > HANG_MS) throw fail("took too long");
    for (let i = 0; i < GUARD; i++) {
      if (memory[i] !== GUARD_BYTE || memory[GUARD + AREA + i] !== GUARD_BYTE) throw fail("wrote outside");
    }
  }
  return decoded;
}

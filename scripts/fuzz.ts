/**
 * `npm run fuzz`: mutated and truncated streams against every image decoder and every message parser. Nothing but the decoder's own
 * typed error may come out, nothing may hang, and nothing may be written outside the picture.
 *
 *     npm run fuzz -- --runs 100000 --seed 1 --only quic
 */
import { parseArgs } from "node:util";
import type { ImageDecoder, ImageEncoder, ImageSource } from "../src/image/index.ts";
import {
  BitmapFmt,
  GlzDecoder,
  GlzDictionary,
  ImageDecodeError,
  Lz4Decoder,
  LzDecoder,
  QuicDecoder,
  SurfaceHeap,
  createCodecs,
  rowBytes,
} from "../src/image/index.ts";
import { MessageParser, ProtocolError, SchemaError, channels } from "../src/protocol/index.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const runs = Number(values.runs);
/** Milliseconds for one stream: the largest picture here takes well below one. */
const HANG = 2_000;
/** Bytes behind a decoder's output that must stay as they were. */
const GUARD = 64;

let state = Number(values.seed) >>> 0 || 1;
function random(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

/** Changes some bytes, cuts the tail, doubles a piece: what transmission and malice do to a stream. */
function mutate(stream: Uint8Array): Uint8Array {
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

function picture(formats: readonly number[]): ImageSource {
  const format = formats[random(formats.length)];
  const width = 1 + random(64);
  const height = 1 + random(48);
  const stride = rowBytes(format, width);
  const bytes = new Uint8Array(stride * height);
  const flat = random(3);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = flat === 0 ? random(256) : flat === 1 ? (i >> 4) & 0xf0 : (i % stride) * 3;
  return { format, width, height, stride, offset: 0, bytes, topDown: random(2) === 0 };
}

const RGB = [BitmapFmt.Bit16, BitmapFmt.Bit24, BitmapFmt.Bit32, BitmapFmt.Rgba];
const PALETTE = [
  BitmapFmt.Bit1Le,
  BitmapFmt.Bit1Be,
  BitmapFmt.Bit4Le,
  BitmapFmt.Bit4Be,
  BitmapFmt.Bit8,
  BitmapFmt.Bit8A,
];

interface Target {
  readonly name: string;
  readonly formats: readonly number[];
  readonly encoder: () => ImageEncoder;
  readonly decoder: () => ImageDecoder;
}

const heap = new SurfaceHeap();
const codecs = createCodecs(heap);
const dictionary = new GlzDictionary(heap, 1, 1 << 20);
const targets: readonly Target[] = [
  { name: "quic", formats: RGB, encoder: () => codecs.encoders.quic, decoder: () => new QuicDecoder() },
  { name: "lz", formats: RGB, encoder: () => codecs.encoders.lz, decoder: () => new LzDecoder() },
  { name: "lz_plt", formats: PALETTE, encoder: () => codecs.encoders.lz_plt, decoder: () => new LzDecoder() },
  { name: "glz", formats: RGB, encoder: () => codecs.glz(dictionary), decoder: () => new GlzDecoder() },
  { name: "lz4", formats: RGB, encoder: () => codecs.encoders.lz4, decoder: () => new Lz4Decoder() },
];

let failed = false;

function check(
  name: string,
  stream: Uint8Array,
  decode: () => void,
  allowed: (error: unknown) => boolean,
): boolean {
  const start = performance.now();
  try {
    decode();
  } catch (error) {
    if (!allowed(error)) {
      console.error(`${name}: ${String(error)}\nstream: ${Buffer.from(stream).toString("base64")}`);
      failed = true;
      return false;
    }
  }
  if (performance.now() - start > HANG) {
    console.error(
      `${name}: took ${Math.round(performance.now() - start)} ms\nstream: ${Buffer.from(stream).toString("base64")}`,
    );
    failed = true;
    return false;
  }
  return true;
}

function fuzzDecoder(target: Target): void {
  const streams: { bytes: Uint8Array; width: number; height: number }[] = [];
  while (streams.length < 60) {
    const source = picture(target.formats);
    const stream = target.encoder().encode(source);
    if (stream) streams.push({ bytes: stream.slice(), width: source.width, height: source.height });
  }
  const area = 128 * 128 * 4;
  const memory = new Uint8Array(area + GUARD).fill(0xa5, area);
  const into = memory.subarray(0, area);
  let decoder = target.decoder();
  for (let run = 0; run < runs; run++) {
    if (run % 1000 === 0) decoder = target.decoder();
    const { bytes, width, height } = streams[random(streams.length)];
    const stream = mutate(bytes);
    const ok = check(
      target.name,
      stream,
      () => void decoder.decode(stream, { into, width, height }),
      (error) => error instanceof ImageDecodeError,
    );
    if (!ok) return;
    if (memory.subarray(area).some((byte) => byte !== 0xa5)) {
      console.error(
        `${target.name}: wrote behind its output\nstream: ${Buffer.from(stream).toString("base64")}`,
      );
      failed = true;
      return;
    }
  }
  console.log(`${target.name}: ${runs} streams, no crash, no hang, no write outside`);
}

/** Random and half-plausible messages on every channel, both directions. */
function fuzzParsers(): void {
  for (const channel of channels) {
    for (const table of [channel.server, channel.client]) {
      const definitions = Object.values(table);
      for (let run = 0; run < runs / 20; run++) {
        const definition = definitions[random(definitions.length)];
        const size = random(200);
        const bytes = new Uint8Array(6 + size).map(() => (random(3) === 0 ? 0 : random(256)));
        const view = new DataView(bytes.buffer);
        view.setUint16(0, random(20) === 0 ? random(65536) : definition.id, true);
        view.setUint32(2, random(20) === 0 ? random(0x7fffffff) : size, true);
        const parse = () => {
          const parser = new MessageParser({ miniHeader: true, channel: table });
          for (const message of parser.push(bytes)) void message.value;
        };
        const ok = check(
          channel.name,
          bytes,
          parse,
          (error) => error instanceof SchemaError || error instanceof ProtocolError,
        );
        if (!ok) return;
      }
    }
  }
  console.log(`messages: ${Math.floor(runs / 20)} per channel and direction, only typed errors`);
}

for (const target of targets) if (!values.only || values.only === target.name) fuzzDecoder(target);
if (!values.only || values.only === "messages") fuzzParsers();
process.exit(failed ? 1 : 0);

import { BitmapFmt, ImageType } from "../formats.ts";
import { QUIC_MIN_SIDE } from "../limits.ts";
import { QuicBitWriter } from "./quic-bits.ts";
import { family5, family8 } from "./quic-family.ts";
import {
  QUIC_MAGIC,
  QUIC_VERSION,
  QUIC_WAIT_MAX,
  QuicChannel,
  QuicState,
  quicRunBits,
} from "./quic-model.ts";
import { quicTypeOf, readQuicRow } from "./quic-rows.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";

/**
 * Codes the rows of one group of channels: the three colours, or alpha or gray alone. A pixel is predicted from the mean of its
 * left and upper neighbours; the difference becomes a symbol; the symbol is written in the code that served best after the
 * symbol before it. Runs of one colour are coded as lengths.
 */
class QuicRowEncoder {
  private readonly bits: QuicBitWriter;
  private readonly channels: readonly QuicChannel[];
  private readonly state: QuicState;
  private above: Uint32Array | undefined;
  private row: Uint32Array = new Uint32Array(0);

  constructor(bits: QuicBitWriter, channels: readonly QuicChannel[], state: QuicState) {
    this.bits = bits;
    this.channels = channels;
    this.state = state;
  }

  reset(width: number): void {
    this.state.reset();
    for (const channel of this.channels) channel.reset(width);
  }

  /** `above` is undefined for the first row. Channel c of a pixel is in bits 8*(channels-1-c) up. */
  encode(above: Uint32Array | undefined, row: Uint32Array, width: number): void {
    const { state } = this;
    this.above = above;
    this.row = row;
    for (const { symbols } of this.channels) symbols[0] = above === undefined ? 0 : symbols[1];
    let x = 0;
    // A segment ends where the wait mask changes; runs never cross it.
    while (state.waitIndex < QUIC_WAIT_MAX && state.waitLeft <= width - x) {
      const end = x + state.waitLeft;
      this.segment(x, end);
      x = end;
      state.widen();
    }
    if (x === width) return;
    this.segment(x, width);
    if (state.waitIndex < QUIC_WAIT_MAX) state.waitLeft -= width - x;
  }

  private segment(start: number, end: number): void {
    const { state, row, above } = this;
    let i = start;
    let runStart = 0;
    if (i === 0) {
      this.pixel(0);
      if (state.waitCount > 0) state.waitCount--;
      else {
        state.waitCount = state.nextWait();
        this.learn(0);
      }
      i = 1;
    }
    let stop = i + state.waitCount;
    while (i < end) {
      if (
        above !== undefined &&
        i > 2 &&
        i !== runStart &&
        above[i - 1] === above[i] &&
        row[i - 1] === row[i - 2]
      ) {
        runStart = i;
        const wait = stop - i;
        const color = row[i - 1];
        while (i < end && row[i] === color) i++;
        this.run(i - runStart);
        stop = i + wait;
        continue;
      }
      this.pixel(i);
      if (i === stop) {
        this.learn(i);
        stop = i + 1 + state.nextWait();
      }
      i++;
    }
    state.waitCount = stop - end;
  }

  /** Writes pixel i and notes its symbols. */
  private pixel(i: number): void {
    const { row, above, channels, bits } = this;
    let shift = 8 * channels.length;
    for (const { family, symbols, best } of channels) {
      shift -= 8;
      const left = i > 0 ? (row[i - 1] >> shift) & 255 : 0;
      const up = above === undefined ? 0 : (above[i] >> shift) & 255;
      const prediction = above === undefined ? left : i === 0 ? up : (left + up) >> 1;
      const symbol = family.symbolOf[(((row[i] >> shift) & 255) - prediction) & family.mask];
      const code = best[symbols[i]] | symbol;
      symbols[i + 1] = symbol;
      bits.put(family.code[code], family.codeLength[code]);
    }
  }

  private learn(i: number): void {
    for (const channel of this.channels)
      channel.update(channel.symbols[i], channel.symbols[i + 1], this.state.trigger);
  }

  private run(length: number): void {
    const { state, bits } = this;
    let left = length;
    while (left >= 1 << quicRunBits[state.runState]) {
      bits.put(1, 1);
      left -= 1 << quicRunBits[state.runState];
      if (state.runState < 31) state.runState++;
    }
    bits.put(left, quicRunBits[state.runState] + 1);
    if (state.runState > 0) state.runState--;
  }
}

/** The QUIC encoder in plain TypeScript: the specification, the oracle and the fallback of the WebAssembly one. */
export class QuicEncoder implements ImageEncoder {
  readonly name = "quic";
  readonly imageType = ImageType.Quic;
  private readonly bits = new QuicBitWriter();
  private readonly rgb8: QuicRowEncoder;
  private readonly rgb5: QuicRowEncoder;
  private readonly alpha: QuicRowEncoder;
  private out = new Uint8Array(0);
  private rows = new Uint32Array(0);

  constructor() {
    const group = (family: typeof family8, channels: number): QuicRowEncoder =>
      new QuicRowEncoder(
        this.bits,
        Array.from({ length: channels }, () => new QuicChannel(family)),
        new QuicState(),
      );
    this.rgb8 = group(family8, 3);
    this.rgb5 = group(family5, 3);
    this.alpha = group(family8, 1);
  }

  accepts(source: ImageSource): boolean {
    const { format, width, height } = source;
    return (
      quicTypeOf(format) !== 0 && width >= QUIC_MIN_SIDE && height >= QUIC_MIN_SIDE && isValidSource(source)
    );
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { width, height, format } = source;
    this.reserve(width, quicWorstBytes(width, height));
    const { bits, rows } = this;
    bits.start(this.out);
    for (const word of [QUIC_MAGIC, QUIC_VERSION, quicTypeOf(format), width, height]) bits.putWord(word);
    const colors = format === BitmapFmt.Bit16 ? this.rgb5 : this.rgb8;
    colors.reset(width);
    this.alpha.reset(width);
    const row = (index: number): Uint32Array => rows.subarray(index * width, (index + 1) * width);
    const [colorRows, alphaRows] = [
      [row(0), row(1)],
      [row(2), row(3)],
    ];
    for (let y = 0; y < height; y++) {
      const now = y & 1;
      readQuicRow(source, y, colorRows[now], format === BitmapFmt.Rgba ? alphaRows[now] : undefined);
      colors.encode(y > 0 ? colorRows[now ^ 1] : undefined, colorRows[now], width);
      if (format === BitmapFmt.Rgba)
        this.alpha.encode(y > 0 ? alphaRows[now ^ 1] : undefined, alphaRows[now], width);
    }
    bits.finish();
    return bits.length < sourceBytes(source) ? this.out.subarray(0, bits.length) : undefined;
  }

  private reserve(width: number, bytes: number): void {
    if (this.rows.length < 4 * width) this.rows = new Uint32Array(4 * width);
    if (this.out.length < bytes) this.out = new Uint8Array(bytes);
  }
}

/** Longest stream of an image: 26 bits for each of four channels, header and tail. */
export function quicWorstBytes(width: number, height: number): number {
  return Math.ceil((width * height * 4 * 26) / 32) * 4 + 64;
}

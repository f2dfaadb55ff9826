import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType, rowBytes } from "../formats.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../limits.ts";
import { QuicBitReader } from "./quic-bits.ts";
import type { QuicFamily } from "./quic-family.ts";
import { family5, family8 } from "./quic-family.ts";
import {
  QUIC_MAGIC,
  QUIC_VERSION,
  QUIC_WAIT_MAX,
  QuicChannel,
  QuicImageType,
  QuicState,
  quicRunBits,
} from "./quic-model.ts";
import { quicFormatOf, writeQuicRow } from "./quic-rows.ts";
import type { DecodeHints, DecodedImage, ImageDecoder } from "../source.ts";
import { outputBuffer } from "../source.ts";

/** Mirror of the row encoder; every index is bounded by the segment's end, every symbol by the family's mask. */
class QuicRowDecoder {
  private readonly bits: QuicBitReader;
  private readonly channels: readonly QuicChannel[];
  private readonly state = new QuicState();
  private above: Uint32Array | undefined;
  private row: Uint32Array = new Uint32Array(0);

  constructor(bits: QuicBitReader, family: QuicFamily, channels: number, width: number) {
    this.bits = bits;
    this.channels = Array.from({ length: channels }, () => new QuicChannel(family));
    for (const channel of this.channels) channel.reset(width);
  }

  decode(above: Uint32Array | undefined, row: Uint32Array, width: number): void {
    const { state } = this;
    this.above = above;
    this.row = row;
    for (const { symbols } of this.channels) symbols[0] = above === undefined ? 0 : symbols[1];
    let x = 0;
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
        const length = this.run();
        if (length > end - i)
          throw new ImageDecodeError(
            "quic",
            this.bits.offset,
            `run of ${length} pixels passes the end of its segment`,
          );
        row.fill(row[i - 1], i, i + length);
        i += length;
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

  private pixel(i: number): void {
    const { row, above, channels } = this;
    let shift = 8 * channels.length;
    let value = 0;
    for (const { family, symbols, best } of channels) {
      shift -= 8;
      const left = i > 0 ? (row[i - 1] >> shift) & 255 : 0;
      const up = above === undefined ? 0 : (above[i] >> shift) & 255;
      const prediction = above === undefined ? left : i === 0 ? up : (left + up) >> 1;
      const symbol = this.symbol(family, best[symbols[i]] >> 8);
      symbols[i + 1] = symbol;
      value |= ((prediction + family.residualOf[symbol]) & family.mask) << shift;
    }
    row[i] = value;
  }

  private symbol(family: QuicFamily, code: number): number {
    const { bits } = this;
    const zeros = Math.clz32(bits.peek());
    const limit = family.prefixLimit[code];
    if (zeros < limit) {
      bits.skip(zeros + 1);
      return ((zeros << code) | (code > 0 ? bits.take(code) : 0)) & family.mask;
    }
    if (limit > 0) bits.skip(limit);
    const suffix = family.suffixLength[code];
    return (family.escapeBase[code] + (suffix > 0 ? bits.take(suffix) : 0)) & family.mask;
  }

  private learn(i: number): void {
    for (const channel of this.channels)
      channel.update(channel.symbols[i], channel.symbols[i + 1], this.state.trigger);
  }

  private run(): number {
    const { state, bits } = this;
    let length = 0;
    while (bits.take(1) === 1) {
      length += 1 << quicRunBits[state.runState];
      if (state.runState < 31) state.runState++;
      // 2^31 could not be counted; the longest row is far shorter.
      if (length > MAX_IMAGE_SIDE) return length;
    }
    const width = quicRunBits[state.runState];
    if (width > 0) length += bits.take(width);
    if (state.runState > 0) state.runState--;
    return length;
  }
}

/** Decodes QUIC to a top-down bitmap: GRAY to 8BIT_A, RGB16 to 16BIT, RGB24 to 24BIT, RGB32 to 32BIT (pad 0), RGBA to RGBA. */
export class QuicDecoder implements ImageDecoder {
  readonly name = "quic";
  readonly imageTypes = [ImageType.Quic];

  decode(bytes: Uint8Array, hints?: DecodeHints): DecodedImage {
    const rows = this.rows(bytes, hints);
    for (;;) {
      const { done, value } = rows.next();
      if (done === true) return value;
    }
  }

  /**
   * The same, row by row: yields the pixels of each row once it is decoded, so that a large image need not hold its thread.
   * @throws ImageDecodeError
   */
  *rows(bytes: Uint8Array, hints?: DecodeHints): Generator<number, DecodedImage> {
    if (bytes.length < 20)
      throw new ImageDecodeError("quic", bytes.length, "shorter than its header of 20 bytes");
    const bits = new QuicBitReader(bytes);
    if (bits.takeWord() !== QUIC_MAGIC) throw new ImageDecodeError("quic", 0, "does not begin with QUIC");
    const version = bits.takeWord();
    if (version !== QUIC_VERSION) throw new ImageDecodeError("quic", 4, `version ${version} is not 0`);
    const [type, width, height] = [bits.takeWord(), bits.takeWord(), bits.takeWord()];
    const format = quicFormatOf(type);
    if (format === 0) throw new ImageDecodeError("quic", 8, `unknown image type ${type}`);
    if (
      width < 1 ||
      height < 1 ||
      width > MAX_IMAGE_SIDE ||
      height > MAX_IMAGE_SIDE ||
      width * height > MAX_IMAGE_PIXELS
    ) {
      throw new ImageDecodeError("quic", 12, `size ${width}x${height} is empty or too large`);
    }
    // Every pixel of the first row and the first pixel of every row take a bit at least: a short stream allocates little.
    if (width + height > bytes.length * 8)
      throw new ImageDecodeError("quic", 12, `size ${width}x${height} is beyond ${bytes.length} bytes`);
    const stride = rowBytes(format, width);
    const out = outputBuffer(stride * height, hints?.into);
    const family = type === QuicImageType.RGB16 ? family5 : family8;
    const colors = new QuicRowDecoder(bits, family, type === QuicImageType.GRAY ? 1 : 3, width);
    const alpha = type === QuicImageType.RGBA ? new QuicRowDecoder(bits, family8, 1, width) : undefined;
    const colorRows = [new Uint32Array(width), new Uint32Array(width)];
    const alphaRows = [new Uint32Array(width), new Uint32Array(width)];
    for (let y = 0; y < height; y++) {
      const now = y & 1;
      colors.decode(y > 0 ? colorRows[now ^ 1] : undefined, colorRows[now], width);
      alpha?.decode(y > 0 ? alphaRows[now ^ 1] : undefined, alphaRows[now], width);
      writeQuicRow(type, colorRows[now], alphaRows[now], width, out, y * stride);
      yield width;
    }
    return {
      imageType: ImageType.Quic,
      format: format as BitmapFmt,
      width,
      height,
      stride,
      offset: 0,
      bytes: out,
      topDown: true,
    };
  }
}

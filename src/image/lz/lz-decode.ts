import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType, isPalette, rowBytes } from "../formats.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../limits.ts";
import { LZ_HEADER_BYTES, LZ_MAGIC, LZ_NEAR, LZ_VERSION, lzFormatOf } from "./lz-format.ts";
import type { DecodeHints, DecodedImage, ImageDecoder } from "../source.ts";
import { outputBuffer } from "../source.ts";
import { lengthBias, literalBytes, writeAlphaUnits, writeUnits } from "../units.ts";

/** Reads the bytes of an LZ or GLZ body; every read past the end is an ImageDecodeError. */
export class LzReader {
  readonly codec: string;
  readonly bytes: Uint8Array;
  at: number;

  constructor(codec: string, bytes: Uint8Array, at: number) {
    this.codec = codec;
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw this.error("ends in the middle of the image");
    return this.bytes[this.at++];
  }

  /** Reads the extension of a length field of 7. `limit` stops absurd lengths early. */
  length(limit: number): number {
    let length = 7;
    for (;;) {
      const more = this.byte();
      length += more;
      if (more !== 255) return length;
      if (length > limit) throw this.error(`match is longer than the ${limit} units left`);
    }
  }

  /** Reads `count` literals to `units[i..]`, which must have room for them before `end`. */
  literals(units: Uint32Array, i: number, count: number, end: number, literal: number): number {
    if (count > end - i) throw this.error(`${count} literals pass the end of the image`);
    const { bytes } = this;
    let { at } = this;
    if (at + count * literal > bytes.length) throw this.error("ends in the middle of a literal");
    for (const stop = i + count; i < stop; i++) {
      if (literal === 1) units[i] = bytes[at++];
      else if (literal === 2) {
        units[i] = (bytes[at] << 8) | bytes[at + 1];
        at += 2;
      } else {
        units[i] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
        at += 3;
      }
    }
    this.at = at;
    return i;
  }

  error(problem: string): ImageDecodeError {
    return new ImageDecodeError(this.codec, this.at, problem);
  }
}

/** Decodes LZ ops until `units[start..start + count]` are filled. */
export function decodeLzUnits(reader: LzReader, units: Uint32Array, count: number, literal: 1 | 2 | 3): void {
  const bias = lengthBias(literal);
  let i = 0;
  while (i < count) {
    const control = reader.byte();
    if (control < 32) {
      i = reader.literals(units, i, control + 1, count, literal);
      continue;
    }
    const field = control >> 5;
    const length = bias + (field === 7 ? reader.length(count - i) : field);
    const high = control & 31;
    const low = reader.byte();
    let distance = (high << 8) + low + 1;
    if (low === 255 && high === 31) distance = (reader.byte() << 8) + reader.byte() + LZ_NEAR + 1;
    if (distance > i)
      throw reader.error(`match of distance ${distance} begins before the image, at unit ${i}`);
    if (length > count - i) throw reader.error(`match of ${length} units passes the end of the image`);
    for (const stop = i + length; i < stop; i++) units[i] = units[i - distance];
  }
}

/** Decodes LZ_RGB, LZ_PLT and the XXXA alpha planes of JPEG_ALPHA. Palette images keep their indices. */
export class LzDecoder implements ImageDecoder {
  readonly name = "lz";
  readonly imageTypes = [ImageType.LzRgb, ImageType.LzPlt];
  private units = new Uint32Array(0);

  decode(bytes: Uint8Array, hints?: DecodeHints): DecodedImage {
    if (bytes.length < LZ_HEADER_BYTES)
      throw new ImageDecodeError("lz", bytes.length, "shorter than its header of 28 bytes");
    const view = new DataView(bytes.buffer, bytes.byteOffset, LZ_HEADER_BYTES);
    const [magic, version, type, width, height, stride, topDown] = [0, 4, 8, 12, 16, 20, 24].map((at) =>
      view.getUint32(at),
    );
    if (magic !== LZ_MAGIC) throw new ImageDecodeError("lz", 0, "wrong magic");
    if (version !== LZ_VERSION)
      throw new ImageDecodeError("lz", 4, `version 0x${version.toString(16)} is not 0x10001`);
    const format = lzFormatOf(type);
    if (format === 0) throw new ImageDecodeError("lz", 8, `unknown image type ${type}`);
    const { count, rowUnits } = lzSize("lz", format, width, height, stride, bytes.length);
    if (this.units.length < count) this.units = new Uint32Array(count);
    const outStride = isPalette(format) ? rowUnits : rowBytes(format, width);
    const out = outputBuffer(outStride * height, hints?.into);
    const reader = new LzReader("lz", bytes, LZ_HEADER_BYTES);
    decodeLzUnits(reader, this.units, count, literalBytes(format));
    writeUnits(format, this.units, 0, count, out);
    if (format === BitmapFmt.Rgba) {
      decodeLzUnits(reader, this.units, count, 1);
      writeAlphaUnits(this.units, 0, count, out);
    }
    const imageType = isPalette(format) ? ImageType.LzPlt : ImageType.LzRgb;
    return {
      imageType,
      format,
      width,
      height,
      stride: outStride,
      offset: 0,
      bytes: out,
      topDown: topDown !== 0,
    };
  }
}

/** Checks the size of an LZ or GLZ header; a palette image's units are its bytes, padding of the rows included. */
export function lzSize(
  codec: string,
  format: number,
  width: number,
  height: number,
  stride: number,
  length: number,
): { count: number; rowUnits: number } {
  const fail = (problem: string): ImageDecodeError => new ImageDecodeError(codec, 12, problem);
  if (width < 1 || height < 1 || width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE)
    throw fail(`size ${width}x${height} is empty or too large`);
  const packed = rowBytes(format, width);
  if (isPalette(format) && (stride < packed || stride > packed + 4))
    throw fail(`stride ${stride} does not fit rows of ${packed} bytes`);
  const rowUnits = isPalette(format) ? stride : width;
  const count = rowUnits * height;
  if (count > MAX_IMAGE_PIXELS) throw fail(`size ${width}x${height} is too large`);
  // A byte of the stream makes 255 units at most: a short stream allocates little.
  if (count > length * 256) throw fail(`size ${width}x${height} is beyond ${length} bytes`);
  return { count, rowUnits };
}

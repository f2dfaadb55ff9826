import { putU32 } from "../big-endian.ts";
import { BitmapFmt, ImageType, isPalette, rowBytes } from "../formats.ts";
import { LZ_HEADER_BYTES, LZ_MAGIC, LZ_VERSION, LzImageType, lzTypeOf, lzWorstBytes } from "./lz-format.ts";
import { LzMatcher } from "./lz-match.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";
import { literalBytes, readAlphaUnits, readUnits, unitsPerRow } from "../units.ts";

/** Writes the LZ header at `out[at]`; the stride is that of packed rows, since padding is not coded. */
export function writeLzHeader(out: Uint8Array, at: number, type: number, source: ImageSource): void {
  putU32(out, at, LZ_MAGIC);
  putU32(out, at + 4, LZ_VERSION);
  putU32(out, at + 8, type);
  putU32(out, at + 12, source.width);
  putU32(out, at + 16, source.height);
  putU32(out, at + 20, type === LzImageType.XXXA ? 4 * source.width : rowBytes(source.format, source.width));
  putU32(out, at + 24, source.topDown ? 1 : 0);
}

/** Scratch memory and searcher of the plain TypeScript LZ encoders; one set serves both kinds of image. */
export class LzWorkspace {
  private readonly matcher = new LzMatcher();
  private units = new Uint32Array(0);
  private out = new Uint8Array(0);

  /** An LZ stream of the whole source, or undefined if it is not smaller than the bitmap. */
  encode(source: ImageSource): Uint8Array | undefined {
    const { format, width, height } = source;
    const row = unitsPerRow(format, width);
    const count = row * height;
    const literal = literalBytes(format);
    this.reserve(
      count,
      lzWorstBytes(count, literal) + lzWorstBytes(format === BitmapFmt.Rgba ? count : 0, 1),
    );
    writeLzHeader(this.out, 0, lzTypeOf(format), source);
    readUnits(source, this.units, 0);
    let end = this.matcher.encode(this.units, count, row, literal, this.out, LZ_HEADER_BYTES);
    if (format === BitmapFmt.Rgba) {
      readAlphaUnits(source, this.units, 0);
      end = this.matcher.encode(this.units, count, row, 1, this.out, end);
    }
    return end < sourceBytes(source) ? this.out.subarray(0, end) : undefined;
  }

  /** An LZ stream of type XXXA: the alpha plane that goes with the JPEG of a JPEG_ALPHA image. */
  encodeAlpha(source: ImageSource): Uint8Array {
    const count = source.width * source.height;
    this.reserve(count, lzWorstBytes(count, 1));
    writeLzHeader(this.out, 0, LzImageType.XXXA, source);
    readAlphaUnits(source, this.units, 0);
    return this.out.subarray(
      0,
      this.matcher.encode(this.units, count, source.width, 1, this.out, LZ_HEADER_BYTES),
    );
  }

  private reserve(units: number, bytes: number): void {
    if (this.units.length < units) this.units = new Uint32Array(units);
    if (this.out.length < LZ_HEADER_BYTES + bytes) this.out = new Uint8Array(LZ_HEADER_BYTES + bytes);
  }
}

/** LZ of the RGB formats and of 8BIT_A (SpiceImageType LZ_RGB), or of the palette formats (LZ_PLT). */
export class LzEncoder implements ImageEncoder {
  readonly name: "lz" | "lz_plt";
  readonly imageType: ImageType;
  private readonly work: LzWorkspace;

  constructor(kind: "lz" | "lz_plt", work: LzWorkspace) {
    this.name = kind;
    this.imageType = kind === "lz" ? ImageType.LzRgb : ImageType.LzPlt;
    this.work = work;
  }

  accepts(source: ImageSource): boolean {
    return isPalette(source.format) === (this.name === "lz_plt") && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    return this.accepts(source) ? this.work.encode(source) : undefined;
  }
}

import { putU32 } from "../big-endian.ts";
import { BitmapFmt, ImageType, rowBytes } from "../formats.ts";
import type { GlzDictionary, GlzPlace } from "./glz-dictionary.ts";
import { GLZ_HEADER_BYTES } from "./glz-format.ts";
import { GlzMatcher } from "./glz-match.ts";
import { LZ_MAGIC, LZ_VERSION, lzTypeOf, lzWorstBytes } from "../lz/lz-format.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";
import { literalBytes, readAlphaUnits, readUnits } from "../units.ts";

/** Whether GLZ takes the source: an RGB format, and fewer pixels than the window. The server never sends palette images as GLZ. */
export function acceptsGlz(dictionary: GlzDictionary, source: ImageSource): boolean {
  const { format, width, height } = source;
  return (
    format >= BitmapFmt.Bit16 &&
    format <= BitmapFmt.Rgba &&
    isValidSource(source) &&
    width * height < dictionary.capacity
  );
}

/** Longest GLZ stream of a source. */
export function glzWorstBytes(source: ImageSource): number {
  const count = source.width * source.height;
  const alpha = source.format === BitmapFmt.Rgba ? lzWorstBytes(count, 1) : 0;
  return GLZ_HEADER_BYTES + lzWorstBytes(count, literalBytes(source.format)) + alpha;
}

/** Writes the header of an image at its place in the window to `out[at]`. */
export function writeGlzHeader(out: Uint8Array, at: number, source: ImageSource, place: GlzPlace): void {
  putU32(out, at, LZ_MAGIC);
  putU32(out, at + 4, LZ_VERSION);
  out[at + 8] = lzTypeOf(source.format) | (source.topDown ? 16 : 0);
  putU32(out, at + 9, source.width);
  putU32(out, at + 13, source.height);
  putU32(out, at + 17, rowBytes(source.format, source.width));
  putU32(out, at + 21, Math.floor(place.id / 2 ** 32));
  putU32(out, at + 25, place.id % 2 ** 32);
  putU32(out, at + 29, place.headDistance);
}

/** GLZ in plain TypeScript, over a dictionary that it may share with other encoders of the same client. */
export class GlzEncoder implements ImageEncoder {
  readonly name = "glz";
  readonly imageType = ImageType.GlzRgb;
  readonly dictionary: GlzDictionary;
  private readonly matcher = new GlzMatcher();
  private alpha = new Uint32Array(0);
  private out = new Uint8Array(0);

  constructor(dictionary: GlzDictionary) {
    this.dictionary = dictionary;
  }

  accepts(source: ImageSource): boolean {
    return acceptsGlz(this.dictionary, source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { dictionary, matcher } = this;
    const { width, height, format } = source;
    const count = width * height;
    const worst = glzWorstBytes(source);
    if (this.out.length < worst) this.out = new Uint8Array(worst);
    const type = lzTypeOf(format);
    const place = dictionary.place(type, count);
    readUnits(source, dictionary.heap.u32, place.pointer >> 2);
    writeGlzHeader(this.out, 0, source, place);
    const image = {
      first: place.first,
      count,
      row: width,
      literal: literalBytes(format),
      id: place.id,
      type,
    };
    let end = matcher.encode(dictionary, image, this.out, GLZ_HEADER_BYTES);
    if (format === BitmapFmt.Rgba) {
      if (this.alpha.length < count) this.alpha = new Uint32Array(count);
      readAlphaUnits(source, this.alpha, 0);
      end = matcher.encodeAlpha(this.alpha, count, width, this.out, end);
    }
    if (end < sourceBytes(source)) return this.out.subarray(0, end);
    dictionary.undo();
    return undefined;
  }
}

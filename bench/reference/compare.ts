import { inflateSync } from "node:zlib";
import type { ImageSource, DecodedImage } from "../../src/image/index.ts";
import { BitmapFmt, ImageType, JpegDecoder, isPalette, rowBytes } from "../../src/image/index.ts";
import { LzImageType, lzTypeOf } from "../../src/image/lz/lz-format.ts";
import { canonicalPixels, firstDifference } from "../../src/image/source.testing.ts";
import type { OurStream } from "../../src/image/verified.testing.ts";
import type { ReferenceCodecs } from "./build.ts";

/** A stream of ours that the reference decodes to something else. */
export class Disagreement extends Error {
  override name = "Disagreement";
}

/** SpiceBitmapFmt to the reference's QuicImageType. */
export const quicTypeOf = (format: number): number => ({ 6: 2, 7: 3, 8: 4, 9: 5 })[format] ?? 0;

/** Decodes our streams with the reference's decoders and compares the pixels with the picture's. */
export class ReferenceComparison {
  readonly #reference: ReferenceCodecs;
  readonly #out = new Uint8Array(1 << 22);
  readonly #jpeg = new JpegDecoder();

  constructor(reference: ReferenceCodecs) {
    this.#reference = reference;
  }

  /** Before the first image of a GLZ dictionary. */
  reset(): void {
    this.#reference.glzDecodeReset();
  }

  /** @throws Disagreement. */
  check({ source, stream, imageType, innerBytes }: OurStream): void {
    switch (imageType) {
      case ImageType.Quic:
        return this.#quic(source, stream);
      case ImageType.LzRgb:
      case ImageType.LzPlt:
        return this.#lz(source, stream);
      case ImageType.GlzRgb:
        return this.#glz(source, stream);
      case ImageType.ZlibGlzRgb: {
        const glz = new Uint8Array(inflateSync(stream));
        if (glz.length !== innerBytes) throw new Disagreement(`zlib: ${glz.length} bytes, not ${innerBytes}`);
        return this.#glz(source, glz);
      }
      case ImageType.Lz4:
        return this.#lz4(source, stream);
      case ImageType.Jpeg:
        return this.#colors(source, stream);
      case ImageType.JpegAlpha:
        this.#colors(source, stream.subarray(0, innerBytes));
        return this.#alpha(source, stream.subarray(innerBytes));
      default:
        throw new Error(`no reference for image type ${imageType}`);
    }
  }

  #quic(source: ImageSource, stream: Uint8Array): void {
    const { format, width, height } = source;
    const stride = rowBytes(format, width);
    // Its words want to be aligned; a copy of its own begins at an aligned address.
    this.#out.fill(0, 0, stride * height);
    this.#reference.quicDecode(stream.slice(), quicTypeOf(format), stride, this.#out);
    this.#same("quic", source, { ...source, stride, offset: 0, bytes: this.#out, topDown: true });
  }

  #lz(source: ImageSource, stream: Uint8Array): void {
    const { format, width, height } = source;
    const stride = rowBytes(format, width);
    this.#out.fill(0, 0, stride * height);
    this.#reference.lzDecode(stream, lzTypeOf(format), this.#out);
    this.#same("lz", source, { ...source, stride, offset: 0, bytes: this.#out });
    if (!isPalette(format)) return;
    // And as clients decode it: with a palette, to colours, of every index that a row's bytes hold.
    const palette = Uint32Array.from({ length: 256 }, (_, i) => (i * 0x10305) & 0xffffff);
    const used = palette.subarray(0, 1 << (format <= 2 ? 1 : format <= 4 ? 4 : 8));
    const length = this.#reference.lzDecode(stream, LzImageType.RGB32, this.#out, used);
    const colors = expand(source, used);
    const decoded = new Uint32Array(this.#out.slice(0, length).buffer);
    const at = decoded.findIndex((color, i) => color !== colors[i]);
    if (at >= 0 || decoded.length !== colors.length)
      throw new Disagreement(`lz: colour ${at} of a palette image`);
  }

  /** spice-gtk decodes everything to 32 bits. */
  #glz(source: ImageSource, stream: Uint8Array): void {
    const { format, width } = source;
    this.#reference.glzDecode(stream, this.#out);
    const wide = { ...source, format: format === BitmapFmt.Rgba ? format : BitmapFmt.Bit32 };
    this.#same("glz", widen(source), { ...wide, stride: width * 4, offset: 0, bytes: this.#out });
  }

  #lz4(source: ImageSource, stream: Uint8Array): void {
    const { format, width, height } = source;
    const stride = rowBytes(format, width);
    const length = this.#reference.lz4Decode(stream.subarray(2), this.#out);
    if (length !== stride * height) throw new Disagreement(`lz4: ${length} bytes of ${stride * height}`);
    this.#same("lz4", source, { ...source, stride, offset: 0, bytes: this.#out });
  }

  /** JPEG has no right pixels: libjpeg's are to be ours, and to look like the picture. */
  #colors(source: ImageSource, stream: Uint8Array): void {
    const { width, height } = source;
    this.#reference.jpegDecode(stream, this.#out);
    const ours = this.#jpeg.decode(stream);
    const theirs = fromRgb(this.#out, width, height);
    const at = firstDifference(ours.bytes, theirs.bytes);
    if (at >= 0) throw new Disagreement(`jpeg: byte ${at} of our decoder's pixels`);
    this.#similar(canonicalPixels(widen(source)), ours.bytes);
  }

  /** Root mean square of the error of luma; noise is the worst there is. */
  #similar(wanted: Uint8Array, got: Uint8Array): void {
    let sum = 0;
    for (let i = 0; i < got.length; i += 4) {
      const [b, g, r] = [0, 1, 2].map((c) => wanted[i + c] - got[i + c]);
      sum += (0.299 * r + 0.587 * g + 0.114 * b) ** 2;
    }
    const rms = Math.sqrt((4 * sum) / got.length);
    if (rms > 16) throw new Disagreement(`jpeg: luma is off by ${rms.toFixed(1)}`);
  }

  #alpha(source: ImageSource, stream: Uint8Array): void {
    const { width, height } = source;
    this.#out.fill(0, 0, width * height * 4);
    this.#reference.lzDecode(stream, LzImageType.XXXA, this.#out);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (
          this.#out[(y * width + x) * 4 + 3] !== source.bytes[source.offset + y * source.stride + 4 * x + 3]
        )
          throw new Disagreement(`jpeg_alpha: alpha at ${x},${y}`);
      }
    }
  }

  #same(codec: string, source: ImageSource, decoded: ImageSource): void {
    const at = firstDifference(canonicalPixels(decoded), canonicalPixels(source));
    if (at >= 0) throw new Disagreement(`${codec}: byte ${at} of the pixels`);
  }
}

/** R, G, B rows as our decoders give pixels. */
export function fromRgb(rgb: Uint8Array, width: number, height: number): DecodedImage {
  const bytes = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2]] = [rgb[3 * i + 2], rgb[3 * i + 1], rgb[3 * i]];
  }
  const common = { imageType: ImageType.Jpeg, format: BitmapFmt.Bit32, width, height };
  return { ...common, stride: width * 4, offset: 0, bytes, topDown: true };
}

/** A source of 16 or 24 bits as one of 32, with five bits made eight by repeating the upper three. */
export function widen(source: ImageSource): ImageSource {
  const { format, width, height } = source;
  if (format === BitmapFmt.Bit32 || format === BitmapFmt.Rgba) return source;
  const rows = canonicalPixels({ ...source, topDown: true });
  const bytes = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    if (format === BitmapFmt.Bit24) bytes.set(rows.subarray(3 * i, 3 * i + 3), 4 * i);
    else {
      const pixel = rows[2 * i] | (rows[2 * i + 1] << 8);
      const wide = [pixel & 31, (pixel >> 5) & 31, (pixel >> 10) & 31].map(
        (five) => (five << 3) | (five >> 2),
      );
      bytes.set(wide, 4 * i);
    }
  }
  return { ...source, format: BitmapFmt.Bit32, stride: width * 4, offset: 0, bytes };
}

/** The colours of a palette image in memory order, with those of the bits that fill up the last byte of a row. */
function expand(source: ImageSource, palette: Uint32Array): Uint32Array {
  const { format, width, height, stride, offset, bytes } = source;
  const bits = format <= 2 ? 1 : format <= 4 ? 4 : 8;
  const bigEndian = format === BitmapFmt.Bit1Be || format === BitmapFmt.Bit4Be;
  const row = rowBytes(format, width);
  const colors: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row; i++) {
      const byte = bytes[offset + y * stride + i];
      for (let k = 0; k < 8; k += bits)
        colors.push(palette[(byte >> (bigEndian ? 8 - bits - k : k)) & ((1 << bits) - 1)]);
    }
  }
  return Uint32Array.from(colors);
}

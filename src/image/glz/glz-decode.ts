import { ImageDecodeError } from "../error.ts";
import { BitmapFmt, ImageType, isPalette, rowBytes } from "../formats.ts";
import { GLZ_HEADER_BYTES } from "./glz-format.ts";
import { GLZ_DECODE_WINDOW_IMAGES, GLZ_DECODE_WINDOW_PIXELS } from "../limits.ts";
import { LzReader, lzSize } from "../lz/lz-decode.ts";
import { LZ_MAGIC, LZ_VERSION, lzFormatOf } from "../lz/lz-format.ts";
import type { DecodeHints, DecodedImage, ImageDecoder } from "../source.ts";
import { outputBuffer } from "../source.ts";
import { lengthBias, literalBytes, writeAlphaUnits, writeUnits } from "../units.ts";

/** A match refers to an image that has not arrived, or never will: it may be on its way on another display channel. */
export class GlzImageMissingError extends ImageDecodeError {
  override readonly code = "GLZ_IMAGE_MISSING";
  readonly imageId: number;

  constructor(offset: number, imageId: number) {
    super("glz", offset, `refers to image ${imageId}, which is not in the window`);
    this.imageId = imageId;
  }
}

/** A decoded image kept for back references: its units, and those of its alpha plane. */
interface WindowImage {
  units: Uint32Array;
  alpha: Uint32Array | undefined;
  /** Oldest image that the encoder still refers to, as of this one. */
  oldest: number;
}

/**
 * The decoding side of a GLZ dictionary, shared by the display channels of a client. Images leave it when the encoder says so and
 * every image up to then has arrived.
 */
export class GlzWindow {
  private readonly images = new Map<number, WindowImage>();
  private pixels = 0;
  private released = 0;
  /** First id that has not arrived. */
  private next = 0;

  get(id: number): WindowImage | undefined {
    return this.images.get(id);
  }

  add(id: number, image: WindowImage): void {
    const known = this.images.get(id);
    if (known !== undefined) this.pixels -= known.units.length;
    this.images.set(id, image);
    this.pixels += image.units.length;
    let oldest = this.released;
    for (;;) {
      const arrived = this.images.get(this.next);
      if (arrived === undefined) break;
      oldest = Math.max(oldest, arrived.oldest);
      this.next++;
    }
    for (; this.released < Math.min(oldest, this.next); this.released++) {
      this.pixels -= this.images.get(this.released)?.units.length ?? 0;
      this.images.delete(this.released);
    }
  }

  /** Whether an image of `count` more pixels may be kept. */
  hasRoom(count: number): boolean {
    return this.pixels + count <= GLZ_DECODE_WINDOW_PIXELS && this.images.size < GLZ_DECODE_WINDOW_IMAGES;
  }

  get size(): number {
    return this.images.size;
  }
}

/** Decodes GLZ_RGB. */
export class GlzDecoder implements ImageDecoder {
  readonly name = "glz";
  readonly imageTypes = [ImageType.GlzRgb];
  readonly window: GlzWindow;

  constructor(window: GlzWindow = new GlzWindow()) {
    this.window = window;
  }

  /** @throws GlzImageMissingError if an image referred to has not arrived; the call may then be repeated later. */
  decode(bytes: Uint8Array, hints?: DecodeHints): DecodedImage {
    if (bytes.length < GLZ_HEADER_BYTES)
      throw new ImageDecodeError("glz", bytes.length, "shorter than its header of 33 bytes");
    const view = new DataView(bytes.buffer, bytes.byteOffset, GLZ_HEADER_BYTES);
    if (view.getUint32(0) !== LZ_MAGIC) throw new ImageDecodeError("glz", 0, "wrong magic");
    if (view.getUint32(4) !== LZ_VERSION) throw new ImageDecodeError("glz", 4, "wrong version");
    const [type, topDown] = [bytes[8] & 15, bytes[8] >> 4 !== 0];
    const [width, height, stride] = [view.getUint32(9), view.getUint32(13), view.getUint32(17)];
    const id = view.getUint32(21) * 2 ** 32 + view.getUint32(25);
    if (!Number.isSafeInteger(id)) throw new ImageDecodeError("glz", 21, "image id is too large");
    const format = lzFormatOf(type);
    if (format === 0 || format === BitmapFmt.Bit8A)
      throw new ImageDecodeError("glz", 8, `unknown image type ${type}`);
    const { count, rowUnits } = lzSize("glz", format, width, height, stride, bytes.length);
    if (!this.window.hasRoom(count))
      throw new ImageDecodeError("glz", 29, "the window is full: the sender releases too little");
    const reader = new LzReader("glz", bytes, GLZ_HEADER_BYTES);
    const units = new Uint32Array(count);
    this.decodeUnits(reader, id, units, literalBytes(format), false);
    let alpha: Uint32Array | undefined;
    if (format === BitmapFmt.Rgba) {
      alpha = new Uint32Array(count);
      this.decodeUnits(reader, id, alpha, 1, true);
    }
    this.window.add(id, { units, alpha, oldest: id - view.getUint32(29) });
    const outStride = isPalette(format) ? rowUnits : rowBytes(format, width);
    const out = outputBuffer(outStride * height, hints?.into);
    writeUnits(format, units, 0, count, out);
    if (alpha !== undefined) writeAlphaUnits(alpha, 0, count, out);
    return {
      imageType: ImageType.GlzRgb,
      format,
      width,
      height,
      stride: outStride,
      offset: 0,
      bytes: out,
      topDown,
    };
  }

  /** Decodes ops until `units` is full; see emitGlzMatch for their layout. */
  private decodeUnits(
    reader: LzReader,
    id: number,
    units: Uint32Array,
    literal: 1 | 2 | 3,
    alpha: boolean,
  ): void {
    const bias = lengthBias(literal);
    const count = units.length;
    let i = 0;
    while (i < count) {
      const control = reader.byte();
      if (control < 32) {
        i = reader.literals(units, i, control + 1, count, literal);
        continue;
      }
      const field = control >> 5;
      const length = bias + (field === 7 ? reader.length(count - i) : field);
      let far = (control & 15) | (reader.byte() << 4);
      const flags = reader.byte();
      const more = flags >> 6;
      let back = 0;
      if ((control & 16) === 0) {
        back = flags & 63;
        for (let k = 0, scale = 64; k < more; k++, scale *= 256) back += reader.byte() * scale;
      } else {
        far |= (flags & 31) << 12;
        for (let k = 0, scale = 1; k < more; k++, scale *= 256) back += reader.byte() * scale;
        if ((flags & 32) !== 0) far |= reader.byte() << 17;
      }
      if (length > count - i) throw reader.error(`match of ${length} units passes the end of the image`);
      if (back === 0) {
        const from = i - far - 1;
        if (from < 0)
          throw reader.error(`match of distance ${far + 1} begins before the image, at unit ${i}`);
        for (let k = 0; k < length; k++) units[i + k] = units[from + k];
      } else {
        const image = this.window.get(id - back);
        const source = alpha ? image?.alpha : image?.units;
        if (source === undefined) throw new GlzImageMissingError(reader.at, id - back);
        if (far + length > source.length) throw reader.error(`match passes the end of image ${id - back}`);
        units.set(source.subarray(far, far + length), i);
      }
      i += length;
    }
  }
}

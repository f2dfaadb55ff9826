import { BitmapFmt, ImageType, bitsPerPixel, isPalette, rowBytes } from "./formats.ts";
import type { GlzDictionary } from "./glz/glz-dictionary.ts";
import { acceptsGlz, glzWorstBytes, writeGlzHeader } from "./glz/glz-encode.ts";
import { GLZ_HEADER_BYTES } from "./glz/glz-format.ts";
import { QUIC_MIN_SIDE } from "./limits.ts";
import { writeLzHeader } from "./lz/lz-encode.ts";
import { LZ_HEADER_BYTES, LzImageType, lzTypeOf, lzWorstBytes } from "./lz/lz-format.ts";
import { writeLz4Header } from "./lz4/lz4-encode.ts";
import { LZ4_CHUNK_BYTES, LZ4_HEADER_BYTES, isLz4Format, lz4WorstBytes } from "./lz4/lz4-format.ts";
import { quicWorstBytes } from "./quic/quic-encode.ts";
import { quicTypeOf } from "./quic/quic-rows.ts";
import type { ImageEncoder, ImageSource } from "./source.ts";
import { isValidSource, sourceBytes } from "./source.ts";
import { literalBytes, unitsPerRow } from "./units.ts";
import type { WasmWorkspace } from "./wasm-workspace.ts";

/** QUIC in WebAssembly: the same bytes as QuicEncoder. */
export class WasmQuicEncoder implements ImageEncoder {
  readonly name = "quic";
  readonly imageType = ImageType.Quic;
  private readonly work: WasmWorkspace;

  constructor(work: WasmWorkspace) {
    this.work = work;
  }

  accepts(source: ImageSource): boolean {
    const { format, width, height } = source;
    return (
      quicTypeOf(format) !== 0 && width >= QUIC_MIN_SIDE && height >= QUIC_MIN_SIDE && isValidSource(source)
    );
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { work } = this;
    const { format, width, height, topDown } = source;
    const { pointer, stride } = work.place(source);
    const out = work.reserveOutput(quicWorstBytes(width, height));
    // The stream is in display order: a bottom-up bitmap is read from its last row.
    const top = topDown ? pointer : pointer + (height - 1) * stride;
    const length = work.module.quicEncode(
      quicTypeOf(format),
      top,
      topDown ? stride : -stride,
      width,
      height,
      out,
    );
    return length < sourceBytes(source) ? work.stream(out, length) : undefined;
  }
}

/** LZ in WebAssembly: the same bytes as LzEncoder. */
export class WasmLzEncoder implements ImageEncoder {
  readonly name: "lz" | "lz_plt";
  readonly imageType: ImageType;
  private readonly work: WasmWorkspace;

  constructor(kind: "lz" | "lz_plt", work: WasmWorkspace) {
    this.name = kind;
    this.imageType = kind === "lz" ? ImageType.LzRgb : ImageType.LzPlt;
    this.work = work;
  }

  accepts(source: ImageSource): boolean {
    return isPalette(source.format) === (this.name === "lz_plt") && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { work } = this;
    const { format, width, height } = source;
    const row = unitsPerRow(format, width);
    const count = row * height;
    const literal = literalBytes(format);
    const rows = work.place(source);
    const units = work.reserveUnits(count);
    const out = work.reserveOutput(
      LZ_HEADER_BYTES +
        lzWorstBytes(count, literal) +
        (format === BitmapFmt.Rgba ? lzWorstBytes(count, 1) : 0),
    );
    writeLzHeader(work.heap.u8, out, lzTypeOf(format), source);
    work.unpack(source, rows, units, false);
    let end = work.module.lzEncode(units, count, row, literal, out + LZ_HEADER_BYTES);
    if (format === BitmapFmt.Rgba) {
      work.unpack(source, rows, units, true);
      end = work.module.lzEncode(units, count, row, 1, end);
    }
    return end - out < sourceBytes(source) ? work.stream(out, end - out) : undefined;
  }

  /** An LZ stream of type XXXA: the alpha plane that goes with the JPEG of a JPEG_ALPHA image. */
  encodeAlpha(source: ImageSource): Uint8Array {
    const { work } = this;
    const count = source.width * source.height;
    const rows = work.place(source);
    const units = work.reserveUnits(count);
    const out = work.reserveOutput(LZ_HEADER_BYTES + lzWorstBytes(count, 1));
    writeLzHeader(work.heap.u8, out, LzImageType.XXXA, source);
    work.unpack(source, rows, units, true);
    const end = work.module.lzEncode(units, count, source.width, 1, out + LZ_HEADER_BYTES);
    return work.stream(out, end - out);
  }
}

/** GLZ in WebAssembly: the same bytes as GlzEncoder. */
export class WasmGlzEncoder implements ImageEncoder {
  readonly name = "glz";
  readonly imageType = ImageType.GlzRgb;
  readonly dictionary: GlzDictionary;
  private readonly work: WasmWorkspace;

  constructor(dictionary: GlzDictionary, work: WasmWorkspace) {
    this.dictionary = dictionary;
    this.work = work;
  }

  accepts(source: ImageSource): boolean {
    return acceptsGlz(this.dictionary, source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { work, dictionary } = this;
    const { module } = work;
    const { width, height, format } = source;
    const count = width * height;
    const type = lzTypeOf(format);
    const rows = work.place(source);
    const alpha = format === BitmapFmt.Rgba ? work.reserveUnits(count) : 0;
    const out = work.reserveOutput(glzWorstBytes(source));
    const place = dictionary.place(type, count);
    work.unpack(source, rows, place.pointer, false);
    writeGlzHeader(work.heap.u8, out, source, place);
    const { table, ring, capacity, images, headUnit, oldestId } = dictionary;
    module.windowOpen(table, ring, capacity - 1, images, headUnit, oldestId, place.id, type);
    let end = module.glzEncode(
      place.pointer,
      count,
      width,
      literalBytes(format),
      out + GLZ_HEADER_BYTES,
      place.first,
    );
    if (format === BitmapFmt.Rgba) {
      work.unpack(source, rows, alpha, true);
      end = module.glzEncodeAlpha(alpha, count, width, end);
    }
    if (end - out < sourceBytes(source)) return work.stream(out, end - out);
    dictionary.undo();
    return undefined;
  }
}

/** LZ4 in WebAssembly. A picture is one chunk. */
export class WasmLz4Encoder implements ImageEncoder {
  readonly name = "lz4";
  readonly imageType = ImageType.Lz4;
  private readonly work: WasmWorkspace;

  constructor(work: WasmWorkspace) {
    this.work = work;
  }

  accepts(source: ImageSource): boolean {
    return isLz4Format(source.format) && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const { work } = this;
    const length = sourceBytes(source);
    const row = rowBytes(source.format, source.width);
    const rows = work.place(source);
    let { pointer } = rows;
    if (rows.stride !== row) {
      pointer = work.reserveUnits((length + 3) >> 2);
      work.module.packRows(rows.pointer, rows.stride, row, source.height, pointer);
    }
    const start = LZ4_HEADER_BYTES + LZ4_CHUNK_BYTES;
    const out = work.reserveOutput(start + lz4WorstBytes(length));
    const end = work.module.lz4Encode(pointer, length, bitsPerPixel(source.format) >> 3, out + start);
    writeLz4Header(work.heap.u8, out, source, end - out - start);
    return end - out < length ? work.stream(out, end - out) : undefined;
  }
}

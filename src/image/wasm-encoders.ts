import { BitmapFmt, ImageType, isPalette } from "./formats.ts";
import { QUIC_MIN_SIDE } from "./limits.ts";
import { writeLzHeader } from "./lz-encode.ts";
import { LZ_HEADER_BYTES, LzImageType, lzTypeOf, lzWorstBytes } from "./lz-format.ts";
import { quicWorstBytes } from "./quic-encode.ts";
import { quicTypeOf } from "./quic-rows.ts";
import type { ImageEncoder, ImageSource } from "./source.ts";
import { isValidSource, sourceBytes } from "./source.ts";
import { literalBytes, unitsPerRow } from "./units.ts";
import type { WasmWorkspace } from "./wasm-workspace.ts";

/** QUIC in WebAssembly: the same bytes as QuicEncoder. */
export class WasmQuicEncoder implements ImageEncoder {
  readonly name = "quic";
  readonly imageType = ImageType.QUIC;
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
    this.imageType = kind === "lz" ? ImageType.LZ_RGB : ImageType.LZ_PLT;
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
        (format === BitmapFmt.RGBA ? lzWorstBytes(count, 1) : 0),
    );
    writeLzHeader(work.stream(out, LZ_HEADER_BYTES), lzTypeOf(format), source);
    work.unpack(source, rows, units, false);
    let end = work.module.lzEncode(units, count, row, literal, out + LZ_HEADER_BYTES);
    if (format === BitmapFmt.RGBA) {
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
    writeLzHeader(work.stream(out, LZ_HEADER_BYTES), LzImageType.XXXA, source);
    work.unpack(source, rows, units, true);
    const end = work.module.lzEncode(units, count, source.width, 1, out + LZ_HEADER_BYTES);
    return work.stream(out, end - out);
  }
}

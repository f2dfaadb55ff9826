import {
  QXLBitmap,
  QXLImage,
  QXLImageDescriptor,
  QXLPalette,
  QXLQUICData,
  QXLSurfaceId,
  QxlBitmapFlags,
  QxlImageFlags,
} from "../protocol/index.ts";
import type { DataSpan, RedBitmap, RedImage, RedPalette } from "../protocol/red-command.ts";
import { BitmapFmt, MAX_RASTER_SIDE, bitmapBits, rgbFrom555 } from "../raster/index.ts";
import type { QxlSink } from "./bus.ts";
import { copyChunks } from "./data-chunks.ts";
import { QxlGuestError } from "./errors.ts";
import { MAX_COMMAND_BYTES, MAX_PALETTE_ENTRIES } from "./limits.ts";
import type { MemorySlots } from "./memory-slots.ts";
import type { StructReader } from "./struct-reader.ts";

/** SpiceImageType: the kinds a guest may send. */
const IMAGE_BITMAP = 0;
const IMAGE_QUIC = 1;
const IMAGE_SURFACE = 104;

/** Which rows of a picture an operation reads, from the top: [top, bottom). */
export interface NeededRows {
  readonly top: number;
  readonly bottom: number;
}

/** A parsed image; `top` is the row of the guest's picture that is its first one. */
export interface ParsedImage {
  readonly image: RedImage;
  readonly top: number;
}

/** Where parsed images read from and put their pixels. */
export interface ImageContext {
  readonly slots: MemorySlots;
  readonly sink: QxlSink;
  /** COMPAT mode at 16 bits: palettes and brush colours are 555. */
  readonly compat16: boolean;
}

/**
 * Copies a QXLImage with its pixels out of the guest. Of a bitmap that the guest does not want cached only the needed rows are
 * copied, and the image is only so high.
 * @throws QxlGuestError
 */
export function parseImage(context: ImageContext, address: bigint, needed?: NeededRows): ParsedImage {
  const { slots, sink } = context;
  const qxl = slots.copy(address, QXLImage.size, "QXLImage");
  const { offset } = QXLImageDescriptor;
  const id = qxl.u64(offset.id);
  const cacheMe = (qxl.u8(offset.flags) & QxlImageFlags.Cache) !== 0;
  const highBitsSet = (qxl.u8(offset.flags) & QxlImageFlags.HighBitsSet) !== 0;
  const width = qxl.u32(offset.width);
  const height = qxl.u32(offset.height);
  switch (qxl.u8(offset.type)) {
    case IMAGE_BITMAP:
      return parseBitmap(context, qxl, { id, cacheMe, highBitsSet }, false, needed);
    case IMAGE_SURFACE: {
      const surfaceId = qxl.u32(QXLImage.offset.u + QXLSurfaceId.offset.surfaceId);
      return { image: { kind: "surface", surfaceId, width, height }, top: 0 };
    }
    case IMAGE_QUIC: {
      checkSize("QXLImage.descriptor", width, height);
      const length = qxl.u32(QXLImage.offset.u + QXLQUICData.offset.dataSize);
      if (length > MAX_COMMAND_BYTES) throw new QxlGuestError("QXLQUICData.data_size", `${length} bytes`);
      const data = sink.allocate(length);
      const chunk = address + BigInt(QXLImage.offset.u + QXLQUICData.size);
      copyChunks(slots, chunk, 0, length, length, sink.data, data.offset, "QXLQUICData.data");
      return { image: { kind: "quic", id, cacheMe, width, height, data }, top: 0 };
    }
    default:
      throw new QxlGuestError(
        "QXLImageDescriptor.type",
        `${qxl.u8(offset.type)} is no image a guest may send`,
      );
  }
}

/** Copies the bitmap of a QXLQMask; a surface of one bit is possible as well. */
export function parseMaskImage(context: ImageContext, address: bigint): RedImage {
  const qxl = context.slots.copy(address, QXLImage.size, "QXLQMask.bitmap");
  if (qxl.u8(QXLImageDescriptor.offset.type) === IMAGE_BITMAP) {
    const id = qxl.u64(QXLImageDescriptor.offset.id);
    return parseBitmap(context, qxl, { id, cacheMe: false, highBitsSet: false }, true).image;
  }
  return parseImage(context, address).image;
}

function parseBitmap(
  context: ImageContext,
  qxl: StructReader,
  caching: Required<Pick<RedBitmap, "id" | "cacheMe" | "highBitsSet">>,
  isMask: boolean,
  needed?: NeededRows,
): ParsedImage {
  const at = QXLImage.offset.u;
  const { offset } = QXLBitmap;
  const format = qxl.u8(at + offset.format);
  const flags = qxl.u8(at + offset.flags);
  const width = qxl.u32(at + offset.x);
  const height = qxl.u32(at + offset.y);
  const stride = qxl.u32(at + offset.stride);
  const paletteAddress = qxl.u64(at + offset.palette);
  const bits = bitmapBits(format);
  if (bits === 0) throw new QxlGuestError("QXLBitmap.format", `${format} is unknown`);
  checkSize("QXLBitmap", width, height);
  if (stride < Math.ceil((width * bits) / 8)) {
    throw new QxlGuestError("QXLBitmap.stride", `${stride} bytes for ${width} pixels of ${bits} bits`);
  }
  if (stride * height > MAX_COMMAND_BYTES) throw new QxlGuestError("QXLBitmap", `${stride * height} bytes`);
  const indexed = format <= BitmapFmt.Bit8 && !isMask;
  if (indexed && paletteAddress === 0n)
    throw new QxlGuestError("QXLBitmap.palette", "an indexed bitmap has none");
  const palette = indexed ? parsePalette(context, paletteAddress) : undefined;
  const topDown = (flags & QxlBitmapFlags.TopDown) !== 0;
  const rows = needed && !caching.cacheMe ? clampRows(needed, height) : { top: 0, bottom: height };
  const firstRow = topDown ? rows.top : height - rows.bottom;
  const count = rows.bottom - rows.top;
  const data = copyPixels(
    context,
    qxl.u64(at + offset.data),
    (flags & QxlBitmapFlags.Direct) !== 0,
    firstRow * stride,
    (firstRow + count) * stride,
    stride * height,
  );
  const image: RedBitmap = {
    kind: "bitmap",
    ...caching,
    format,
    width,
    height: count,
    stride,
    topDown,
    palette,
    data,
  };
  return { image, top: rows.top };
}

/** At least one row, so that a picture always has pixels. */
function clampRows(needed: NeededRows, height: number): NeededRows {
  const top = Math.min(Math.max(0, needed.top), height - 1);
  return { top, bottom: Math.max(top + 1, Math.min(needed.bottom, height)) };
}

function copyPixels(
  { slots, sink }: ImageContext,
  address: bigint,
  direct: boolean,
  from: number,
  to: number,
  total: number,
): DataSpan {
  const field = "QXLBitmap.data";
  if (direct) slots.resolve(address, total, field);
  const span = sink.allocate(to - from);
  if (direct) slots.copyTo(sink.data, span.offset, address + BigInt(from), to - from, field);
  else copyChunks(slots, address, from, to, total, sink.data, span.offset, field);
  return span;
}

function parsePalette({ slots, compat16 }: ImageContext, address: bigint): RedPalette {
  const field = "QXLPalette";
  const header = slots.copy(address, QXLPalette.size, field);
  const count = header.u16(QXLPalette.offset.numEnts);
  if (count > MAX_PALETTE_ENTRIES) throw new QxlGuestError("QXLPalette.num_ents", `${count} entries`);
  const colors = slots.copy(address + BigInt(QXLPalette.size), 4 * count, field);
  const entries = Array.from({ length: count }, (_, i) => {
    const color = colors.u32(4 * i);
    return compat16 ? rgbFrom555(color) : color;
  });
  return { unique: header.u64(QXLPalette.offset.unique), entries };
}

function checkSize(field: string, width: number, height: number): void {
  if (width < 1 || height < 1 || width > MAX_RASTER_SIDE || height > MAX_RASTER_SIDE) {
    throw new QxlGuestError(field, `a picture of ${width}x${height} pixels`);
  }
}

import { BitmapFlags, BitmapFmt, ImageFlags, ImageType, JpegAlphaFlags } from "./enums.ts";
import type { Infer } from "./schema.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  imageSize,
  lengthOf,
  pointer,
  pointerTo,
  struct,
  u16,
  u32,
  u64,
  u8,
  unless,
  variant,
  when,
} from "./schema.ts";

const bitmapFlags = flags(u8, "BitmapFlags", BitmapFlags);

/** Colours 0x00RRGGBB of an indexed bitmap; `unique` names the palette in the client's palette cache. */
export const palette = struct({ unique: u64, ents: array(u32, u16) }, "Palette");

/** Raw pixels: `y` rows, `stride` bytes apart. */
const bitmapData = struct(
  {
    format: enumeration(u8, "BitmapFmt", BitmapFmt),
    flags: bitmapFlags,
    x: u32,
    y: u32,
    stride: u32,
    paletteId: when("flags", BitmapFlags.PalFromCache, u64),
    palette: unless("flags", BitmapFlags.PalFromCache, pointer(palette)),
    data: bytes(imageSize(8, "stride", "y")),
  },
  "BitmapData",
);

/** A stream of QUIC, LZ, GLZ, LZ4 or JPEG. */
const binaryData = struct({ data: bytes(u32) }, "BinaryData");

/** A stream of LZ whose pixels are indices into a palette. */
const lzPltData = struct(
  {
    flags: bitmapFlags,
    dataSize: lengthOf("data", u32),
    paletteId: when("flags", BitmapFlags.PalFromCache, u64),
    palette: unless("flags", BitmapFlags.PalFromCache, pointerTo(palette)),
    data: bytes("dataSize"),
  },
  "LZPLTData",
);

/** A zlib stream around a GLZ stream of `glzDataSize` bytes. */
const zlibGlzRgbData = struct({ glzDataSize: u32, data: bytes(u32) }, "ZlibGlzRGBData");

/** `jpegSize` bytes of JPEG, then LZ coded alpha. */
const jpegAlphaData = struct(
  { flags: flags(u8, "JpegAlphaFlags", JpegAlphaFlags), jpegSize: u32, data: bytes(u32) },
  "JPEGAlphaData",
);

/** What every image starts with. `id` names it in the pixmap cache, if `flags` say so. */
export const imageDescriptor = struct(
  {
    id: u64,
    type: enumeration(u8, "ImageType", ImageType),
    flags: flags(u8, "ImageFlags", ImageFlags),
    width: u32,
    height: u32,
  },
  "ImageDescriptor",
);

/** Image of spice.proto: the descriptor, then data by its type. The cases have the names of spice.proto. */
export const image = variant(
  { descriptor: imageDescriptor },
  "descriptor.type",
  {
    [ImageType.Bitmap]: { bitmap: bitmapData },
    [ImageType.Quic]: { quic: binaryData },
    [ImageType.LzPlt]: { lzPlt: lzPltData },
    [ImageType.LzRgb]: { lzRgb: binaryData },
    [ImageType.GlzRgb]: { lzRgb: binaryData },
    [ImageType.FromCache]: {},
    [ImageType.Surface]: { surface: struct({ surfaceId: u32 }, "Surface") },
    [ImageType.Jpeg]: { jpeg: binaryData },
    [ImageType.FromCacheLossless]: {},
    [ImageType.ZlibGlzRgb]: { zlibGlz: zlibGlzRgbData },
    [ImageType.JpegAlpha]: { jpegAlpha: jpegAlphaData },
    [ImageType.Lz4]: { lz4: binaryData },
  },
  "Image",
);
/** An image as drawing messages carry it. Narrow it by the presence of its data: `"quic" in image`. */
export type SpiceImage = Infer<typeof image>;
/** A palette as image data carries it. */
export type SpicePalette = Infer<typeof palette>;

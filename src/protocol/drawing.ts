import { BrushType, ClipType, LineFlags, MaskFlags, PathFlags, StringFlags } from "./enums.ts";
import { point, pointFix, rect } from "./geometry.ts";
import { image } from "./image.ts";
import type { Infer } from "./schema.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  i32,
  imageSize,
  lengthOf,
  maskedVariant,
  pointer,
  pointerTo,
  struct,
  u16,
  u32,
  u8,
  variant,
} from "./schema.ts";

/** What part of the box is drawn: all of it, or these rectangles of the surface. */
export const clip = variant(
  { type: enumeration(u8, "ClipType", ClipType) },
  "type",
  { [ClipType.None]: {}, [ClipType.Rects]: { rects: array(rect, u32) } },
  "Clip",
);
/** A clip as drawing messages carry it. */
export type SpiceClip = Infer<typeof clip>;

/** What every drawing message starts with. */
export const displayBase = struct({ surfaceId: u32, box: rect, clip }, "DisplayBase");

/** What fills: nothing, a colour, or an image repeated from `pos`. */
export const brush = variant(
  { type: enumeration(u8, "BrushType", BrushType) },
  "type",
  {
    [BrushType.None]: {},
    [BrushType.Solid]: { color: u32 },
    [BrushType.Pattern]: { pattern: struct({ pat: pointerTo(image), pos: point }, "Pattern") },
  },
  "Brush",
);
/** A brush as drawing messages carry it. */
export type SpiceBrush = Infer<typeof brush>;

/** A 1 bit image that lets pixels through; `bitmap` null for no mask. */
export const qMask = struct(
  { flags: flags(u8, "MaskFlags", MaskFlags), pos: point, bitmap: pointer(image) },
  "QMask",
);
/** A mask as drawing messages carry it. */
export type SpiceQMask = Infer<typeof qMask>;

/** Segments of lines or curves. The segments lie one after the other, though C holds pointers to them. */
export const path = struct(
  {
    segments: array(
      struct({ flags: flags(u8, "PathFlags", PathFlags), points: array(pointFix, u32) }, "PathSegment"),
      u32,
    ),
  },
  "Path",
);

/** Pen of a stroke; `style` is the dash pattern, lengths in 28.4 fixed point. */
export const lineAttr = maskedVariant(
  { flags: flags(u8, "LineFlags", LineFlags) },
  "flags",
  LineFlags.Styled,
  {
    0: {},
    [LineFlags.Styled]: { styleNseg: lengthOf("style", u8), style: pointer(array(i32, "styleNseg")) },
  },
  "LineAttr",
);

function rasterGlyph(bits: number) {
  return struct(
    {
      renderPos: point,
      glyphOrigin: point,
      width: u16,
      height: u16,
      data: bytes(imageSize(bits, "width", "height")),
    },
    `RasterGlyphA${bits}`,
  );
}

/** Glyphs of 1, 4 or 8 bits alpha, as the flags say, one after the other. */
export const string = maskedVariant(
  { length: lengthOf("glyphs", u16), flags: flags(u8, "StringFlags", StringFlags) },
  "flags",
  StringFlags.RasterA1 | StringFlags.RasterA4 | StringFlags.RasterA8,
  {
    [StringFlags.RasterA1]: { glyphs: array(rasterGlyph(1), "length") },
    [StringFlags.RasterA4]: { glyphs: array(rasterGlyph(4), "length") },
    [StringFlags.RasterA8]: { glyphs: array(rasterGlyph(8), "length") },
  },
  "String",
);

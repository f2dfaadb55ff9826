import { layout } from "./layout.ts";
import { array, i16, i32, padding, u16, u32, u64, u8 } from "./schema.ts";

/** An address in guest memory: slot id and generation in the high bits, offset in the slot below. */
export const QXLPHYSICAL = u64;

/** Point in pixels. */
export const QXLPoint = layout("QXLPoint", { x: i32, y: i32 });
/** Point in pixels, 16 bit. */
export const QXLPoint16 = layout("QXLPoint16", { x: i16, y: i16 });
/** Point in 28.4 fixed point. */
export const QXLPointFix = layout("QXLPointFix", { x: i32, y: i32 });
/** Half-open rectangle in pixels. */
export const QXLRect = layout("QXLRect", { top: i32, left: i32, bottom: i32, right: i32 });
/** Unsigned half-open rectangle in pixels. */
export const QXLURect = layout("QXLURect", { top: u32, left: u32, bottom: u32, right: u32 });

/** First 8 bytes of every command: the guest's `id` until the device overwrites them with the `next` of its release list. */
export const QXLReleaseInfo = layout("QXLReleaseInfo", { id: u64 });

/** A piece of data; the bytes follow, then the next piece is elsewhere. */
export const QXLDataChunk = layout("QXLDataChunk", {
  dataSize: u32,
  prevChunk: QXLPHYSICAL,
  nextChunk: QXLPHYSICAL,
});

/** `data` leads to QXLClipRects if `type` is RECTS. */
export const QXLClip = layout("QXLClip", { type: u32, data: QXLPHYSICAL });
/** The rectangles follow in chunks. */
export const QXLClipRects = layout("QXLClipRects", { numRects: u32, chunk: QXLDataChunk });

/** An image repeated from `pos`. */
export const QXLPattern = layout("QXLPattern", { pat: QXLPHYSICAL, pos: QXLPoint });
/** Colour of a solid brush. */
export const QXLColor = layout("QXLColor", { color: u32 });
/** Union: QXLColor (SOLID), QXLPattern (PATTERN). */
export const QXLBrush = layout("QXLBrush", { type: u32 }, [QXLColor, QXLPattern]);
/** Read it with QXLBrush at its offset. */
const brush = padding(QXLBrush.size);

/** 1 bit image, address 0 for no mask. */
export const QXLQMask = layout("QXLQMask", { flags: u8, pos: QXLPoint, bitmap: QXLPHYSICAL });

/** First part of every image. */
export const QXLImageDescriptor = layout("QXLImageDescriptor", {
  id: u64,
  type: u8,
  flags: u8,
  width: u32,
  height: u32,
});
/** Image data of type BITMAP; `data` leads to pixels if DIRECT, else to chunks. */
export const QXLBitmap = layout("QXLBitmap", {
  format: u8,
  flags: u8,
  x: u32,
  y: u32,
  stride: u32,
  palette: QXLPHYSICAL,
  data: QXLPHYSICAL,
});
/** Image data of type SURFACE. */
export const QXLSurfaceId = layout("QXLSurfaceId", { surfaceId: u32 });
/** Image data of type QUIC; chunks follow. */
export const QXLQUICData = layout("QXLQUICData", { dataSize: u32 });
/** Union by descriptor.type: QXLBitmap, QXLSurfaceId, QXLQUICData. */
export const QXLImage = layout("QXLImage", { descriptor: QXLImageDescriptor }, [
  QXLBitmap,
  QXLSurfaceId,
  QXLQUICData,
]);
/** `numEnts` u32 colours follow. */
export const QXLPalette = layout("QXLPalette", { unique: u64, numEnts: u16 });

/** Operands of DRAW_FILL. */
export const QXLFill = layout("QXLFill", { brush, ropDescriptor: u16, mask: QXLQMask });
/** Operands of DRAW_OPAQUE. */
export const QXLOpaque = layout("QXLOpaque", {
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
  brush,
  ropDescriptor: u16,
  scaleMode: u8,
  mask: QXLQMask,
});
/** Operands of DRAW_COPY and DRAW_BLEND. */
export const QXLCopy = layout("QXLCopy", {
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
  ropDescriptor: u16,
  scaleMode: u8,
  mask: QXLQMask,
});
/** Operands of DRAW_TRANSPARENT. */
export const QXLTransparent = layout("QXLTransparent", {
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
  srcColor: u32,
  trueColor: u32,
});
/** Operands of DRAW_ALPHA_BLEND. */
export const QXLAlphaBlend = layout("QXLAlphaBlend", {
  alphaFlags: u16,
  alpha: u8,
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
});
/** Operands of DRAW_ALPHA_BLEND in COMPAT mode. */
export const QXLCompatAlphaBlend = layout("QXLCompatAlphaBlend", {
  alpha: u8,
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
});
/** Operands of COPY_BITS. */
export const QXLCopyBits = layout("QXLCopyBits", { srcPos: QXLPoint });
/** Operands of DRAW_ROP3. */
export const QXLRop3 = layout("QXLRop3", {
  srcBitmap: QXLPHYSICAL,
  srcArea: QXLRect,
  brush,
  rop3: u8,
  scaleMode: u8,
  mask: QXLQMask,
});
/** Operands of DRAW_BLACKNESS, DRAW_WHITENESS and DRAW_INVERS. */
export const QXLBlackness = layout("QXLBlackness", { mask: QXLQMask });
/** Pen; `style` leads to `styleNseg` 28.4 dash lengths. */
export const QXLLineAttr = layout("QXLLineAttr", {
  flags: u8,
  joinStyle: u8,
  endStyle: u8,
  styleNseg: u8,
  width: i32,
  miterLimit: i32,
  style: QXLPHYSICAL,
});
/** Operands of DRAW_STROKE. */
export const QXLStroke = layout("QXLStroke", {
  path: QXLPHYSICAL,
  attr: QXLLineAttr,
  brush,
  foreMode: u16,
  backMode: u16,
});
/** The segments follow in chunks. */
export const QXLPath = layout("QXLPath", { dataSize: u32, chunk: QXLDataChunk });
/** `count` QXLPointFix follow. */
export const QXLPathSeg = layout("QXLPathSeg", { flags: u32, count: u32 });
/** Operands of DRAW_TEXT. */
export const QXLText = layout("QXLText", {
  str: QXLPHYSICAL,
  backArea: QXLRect,
  foreBrush: brush,
  backBrush: brush,
  foreMode: u16,
  backMode: u16,
});
/** The glyphs follow in chunks. */
export const QXLString = layout("QXLString", { dataSize: u32, length: u16, flags: u16, chunk: QXLDataChunk });
/** The pixels follow. */
export const QXLRasterGlyph = layout("QXLRasterGlyph", {
  renderPos: QXLPoint,
  glyphOrigin: QXLPoint,
  width: u16,
  height: u16,
});
/** Operands of DRAW_COMPOSITE; flags are CompositeFlags. */
export const QXLComposite = layout("QXLComposite", {
  flags: u32,
  src: QXLPHYSICAL,
  srcTransform: QXLPHYSICAL,
  mask: QXLPHYSICAL,
  maskTransform: QXLPHYSICAL,
  srcOrigin: QXLPoint16,
  maskOrigin: QXLPoint16,
});
/** Six entries of a 3x3 matrix in 16.16 fixed point. */
export const QXLTransform = layout("QXLTransform", {
  t00: u32,
  t01: u32,
  t02: u32,
  t10: u32,
  t11: u32,
  t12: u32,
});

/** Members of the union at the end of QXLDrawable, by their name in qxl_dev.h. */
export const QXLDrawableUnion = {
  fill: QXLFill,
  opaque: QXLOpaque,
  copy: QXLCopy,
  transparent: QXLTransparent,
  alphaBlend: QXLAlphaBlend,
  copyBits: QXLCopyBits,
  blend: QXLCopy,
  rop3: QXLRop3,
  stroke: QXLStroke,
  text: QXLText,
  blackness: QXLBlackness,
  invers: QXLBlackness,
  whiteness: QXLBlackness,
  composite: QXLComposite,
} as const;

/** QXL_CMD_DRAW. */
export const QXLDrawable = layout(
  "QXLDrawable",
  {
    releaseInfo: QXLReleaseInfo,
    surfaceId: u32,
    effect: u8,
    type: u8,
    selfBitmap: u8,
    selfBitmapArea: QXLRect,
    bbox: QXLRect,
    clip: QXLClip,
    mmTime: u32,
    surfacesDest: array(i32, 3),
    surfacesRects: array(QXLRect, 3),
  },
  Object.values(QXLDrawableUnion),
);

/** QXL_CMD_DRAW of old drivers, in COMPAT mode. */
export const QXLCompatDrawable = layout(
  "QXLCompatDrawable",
  {
    releaseInfo: QXLReleaseInfo,
    effect: u8,
    type: u8,
    bitmapOffset: u16,
    bitmapArea: QXLRect,
    bbox: QXLRect,
    clip: QXLClip,
    mmTime: u32,
  },
  [QXLFill, QXLOpaque, QXLCopy, QXLTransparent, QXLCompatAlphaBlend, QXLRop3, QXLStroke, QXLText],
);

/** QXL_CMD_UPDATE. */
export const QXLUpdateCmd = layout("QXLUpdateCmd", {
  releaseInfo: QXLReleaseInfo,
  area: QXLRect,
  updateId: u32,
  surfaceId: u32,
});

/** Surface as QXL_SURFACE_CMD_CREATE describes it. */
export const QXLSurface = layout("QXLSurface", {
  format: u32,
  width: u32,
  height: u32,
  stride: i32,
  data: QXLPHYSICAL,
});
/** QXL_CMD_SURFACE; union: QXLSurface for CREATE. */
export const QXLSurfaceCmd = layout(
  "QXLSurfaceCmd",
  { releaseInfo: QXLReleaseInfo, surfaceId: u32, type: u8, flags: u32 },
  [QXLSurface],
);

/** QXL_CURSOR_SET. */
export const QXLCursorSet = layout("QXLCursorSet", { position: QXLPoint16, visible: u8, shape: QXLPHYSICAL });
/** QXL_CURSOR_TRAIL. */
export const QXLCursorTrail = layout("QXLCursorTrail", { length: u16, frequency: u16 });
const QXLCursorUnion = layout("QXLCursorUnion", {}, [QXLCursorSet, QXLCursorTrail, QXLPoint16]);
/** QXL_CMD_CURSOR; union at `offset.u`: QXLCursorSet, QXLPoint16 (MOVE), QXLCursorTrail. */
export const QXLCursorCmd = layout("QXLCursorCmd", {
  releaseInfo: QXLReleaseInfo,
  type: u8,
  u: padding(QXLCursorUnion.size),
  deviceData: padding(128),
});
/** Size and hot spot of a cursor. */
export const QXLCursorHeader = layout("QXLCursorHeader", {
  unique: u64,
  type: u16,
  width: u16,
  height: u16,
  hotSpotX: u16,
  hotSpotY: u16,
});
/** A cursor's shape: the header, then `dataSize` bytes in chunks. */
export const QXLCursor = layout("QXLCursor", { header: QXLCursorHeader, dataSize: u32, chunk: QXLDataChunk });

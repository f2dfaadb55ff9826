import { channel, waitForChannel } from "./base.ts";
import { brush, clip, displayBase, lineAttr, path, qMask, string } from "./drawing.ts";
import {
  AlphaFlags,
  ChannelType,
  CompositeFlags,
  GlScanoutFlags,
  ImageCompression,
  ImageScaleMode,
  ResourceType,
  Ropd,
  StreamFlags,
  SurfaceFlags,
  SurfaceFmt,
  VideoCodec,
} from "./enums.ts";
import { point, point16, rect, transform } from "./geometry.ts";
import { image } from "./image.ts";
import { DRAW_MESSAGE_MAX, STREAM_DATA_MAX } from "./limits.ts";
import { clientMessage, message } from "./message.ts";
import type { Infer } from "./schema.ts";
import {
  array,
  bytes,
  enumeration,
  flags,
  i32,
  i64,
  lengthOf,
  pointer,
  pointerTo,
  rest,
  struct,
  u16,
  u32,
  u64,
  u8,
  when,
} from "./schema.ts";

const draw = { maxSize: DRAW_MESSAGE_MAX };
const ropDescriptor = flags(u16, "Ropd", Ropd);
const scaleMode = enumeration(u8, "ImageScaleMode", ImageScaleMode);
const codecType = enumeration(u8, "VideoCodec", VideoCodec);
const compositeBits = flags(u32, "CompositeFlags", CompositeFlags);

/** Copy and Blend of spice.proto. */
const copyData = struct(
  { srcBitmap: pointer(image), srcArea: rect, ropDescriptor, scaleMode, mask: qMask },
  "Copy",
);
const maskData = struct({ mask: qMask }, "MaskOnly");
const streamBase = struct({ id: u32, multiMediaTime: u32 }, "StreamDataHeader");

/** One monitor: a rectangle of a surface. */
export const head = struct(
  { id: u32, surfaceId: u32, width: u32, height: u32, x: u32, y: u32, flags: u32 },
  "Head",
);
/** A monitor as MONITORS_CONFIG carries it. */
export type SpiceHead = Infer<typeof head>;

/** DisplayChannel of spice.proto: surfaces, drawing, images, video streams, monitors. */
export const displayChannel = channel(
  ChannelType.Display,
  "display",
  {
    mode: message(101, "mode", { xRes: u32, yRes: u32, bits: u32 }),
    mark: message(102, "mark", {}),
    reset: message(103, "reset", {}),
    copyBits: message(104, "copyBits", { base: displayBase, srcPos: point }, draw),
    invalList: message(
      105,
      "invalList",
      {
        resources: array(
          struct({ type: enumeration(u8, "ResourceType", ResourceType), id: u64 }, "ResourceID"),
          u16,
        ),
      },
      draw,
    ),
    invalAllPixmaps: message(106, "invalAllPixmaps", { waitList: array(waitForChannel, u8) }),
    invalPalette: message(107, "invalPalette", { id: u64 }),
    invalAllPalettes: message(108, "invalAllPalettes", {}),

    streamCreate: message(
      122,
      "streamCreate",
      {
        surfaceId: u32,
        id: u32,
        flags: flags(u8, "StreamFlags", StreamFlags),
        codecType,
        stamp: u64,
        streamWidth: u32,
        streamHeight: u32,
        srcWidth: u32,
        srcHeight: u32,
        dest: rect,
        clip,
      },
      draw,
    ),
    streamData: message(
      123,
      "streamData",
      { base: streamBase, data: bytes(u32) },
      { maxSize: STREAM_DATA_MAX },
    ),
    streamClip: message(124, "streamClip", { id: u32, clip }, draw),
    streamDestroy: message(125, "streamDestroy", { id: u32 }),
    streamDestroyAll: message(126, "streamDestroyAll", {}),

    drawFill: message(
      302,
      "drawFill",
      { base: displayBase, data: struct({ brush, ropDescriptor, mask: qMask }, "Fill") },
      draw,
    ),
    drawOpaque: message(
      303,
      "drawOpaque",
      {
        base: displayBase,
        data: struct(
          { srcBitmap: pointer(image), srcArea: rect, brush, ropDescriptor, scaleMode, mask: qMask },
          "Opaque",
        ),
      },
      draw,
    ),
    drawCopy: message(304, "drawCopy", { base: displayBase, data: copyData }, draw),
    drawBlend: message(305, "drawBlend", { base: displayBase, data: copyData }, draw),
    drawBlackness: message(306, "drawBlackness", { base: displayBase, data: maskData }, draw),
    drawWhiteness: message(307, "drawWhiteness", { base: displayBase, data: maskData }, draw),
    drawInvers: message(308, "drawInvers", { base: displayBase, data: maskData }, draw),
    drawRop3: message(
      309,
      "drawRop3",
      {
        base: displayBase,
        data: struct(
          { srcBitmap: pointer(image), srcArea: rect, brush, rop3: u8, scaleMode, mask: qMask },
          "Rop3",
        ),
      },
      draw,
    ),
    drawStroke: message(
      310,
      "drawStroke",
      {
        base: displayBase,
        data: struct(
          { path: pointerTo(path), attr: lineAttr, brush, foreMode: u16, backMode: u16 },
          "Stroke",
        ),
      },
      draw,
    ),
    drawText: message(
      311,
      "drawText",
      {
        base: displayBase,
        data: struct(
          {
            str: pointerTo(string),
            backArea: rect,
            foreBrush: brush,
            backBrush: brush,
            foreMode: u16,
            backMode: u16,
          },
          "Text",
        ),
      },
      draw,
    ),
    drawTransparent: message(
      312,
      "drawTransparent",
      {
        base: displayBase,
        data: struct(
          { srcBitmap: pointer(image), srcArea: rect, srcColor: u32, trueColor: u32 },
          "Transparent",
        ),
      },
      draw,
    ),
    drawAlphaBlend: message(
      313,
      "drawAlphaBlend",
      {
        base: displayBase,
        data: struct(
          {
            alphaFlags: flags(u8, "AlphaFlags", AlphaFlags),
            alpha: u8,
            srcBitmap: pointer(image),
            srcArea: rect,
          },
          "AlphaBlend",
        ),
      },
      draw,
    ),

    surfaceCreate: message(314, "surfaceCreate", {
      surfaceId: u32,
      width: u32,
      height: u32,
      format: enumeration(u32, "SurfaceFmt", SurfaceFmt),
      flags: flags(u32, "SurfaceFlags", SurfaceFlags),
    }),
    surfaceDestroy: message(315, "surfaceDestroy", { surfaceId: u32 }),
    streamDataSized: message(
      316,
      "streamDataSized",
      { base: streamBase, width: u32, height: u32, dest: rect, data: bytes(u32) },
      { maxSize: STREAM_DATA_MAX },
    ),
    monitorsConfig: message(317, "monitorsConfig", {
      count: lengthOf("heads", u16),
      maxAllowed: u16,
      heads: array(head, "count"),
    }),
    drawComposite: message(
      318,
      "drawComposite",
      {
        base: displayBase,
        data: struct(
          {
            flags: compositeBits,
            srcBitmap: pointer(image),
            maskBitmap: when("flags", CompositeFlags.HasMask, pointer(image)),
            srcTransform: when("flags", CompositeFlags.HasSrcTransform, transform),
            maskTransform: when("flags", CompositeFlags.HasMaskTransform, transform),
            srcOrigin: point16,
            maskOrigin: point16,
          },
          "Composite",
        ),
      },
      draw,
    ),
    streamActivateReport: message(319, "streamActivateReport", {
      streamId: u32,
      uniqueId: u32,
      maxWindowSize: u32,
      timeoutMs: u32,
    }),
    // The file descriptor travels beside the bytes, on a unix socket only.
    glScanoutUnix: message(320, "glScanoutUnix", {
      width: u32,
      height: u32,
      stride: u32,
      drmFourccFormat: u32,
      flags: flags(u32, "GlScanoutFlags", GlScanoutFlags),
    }),
    glDraw: message(321, "glDraw", { x: u32, y: u32, w: u32, h: u32 }),
    qualityIndicator: message(322, "qualityIndicator", { data: bytes(rest) }),
  },
  {
    init: clientMessage(101, "init", {
      pixmapCacheId: u8,
      pixmapCacheSize: i64,
      glzDictionaryId: u8,
      glzDictionaryWindowSize: i32,
    }),
    streamReport: clientMessage(102, "streamReport", {
      streamId: u32,
      uniqueId: u32,
      startFrameMmTime: u32,
      endFrameMmTime: u32,
      numFrames: u32,
      numDrops: u32,
      lastFrameDelay: i32,
      audioDelay: u32,
    }),
    preferredCompression: clientMessage(103, "preferredCompression", {
      imageCompression: enumeration(u8, "ImageCompression", ImageCompression),
    }),
    glDrawDone: clientMessage(104, "glDrawDone", {}),
    preferredVideoCodecType: clientMessage(105, "preferredVideoCodecType", { codecs: array(codecType, u8) }),
  },
);

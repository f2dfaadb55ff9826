import { isPalette } from "../image/index.ts";
import type { MessageDef, SpiceClip, SpiceImage, SpicePalette, SpiceQMask } from "../protocol/index.ts";
import {
  BitmapFlags,
  BrushType,
  ClipType,
  ImageScaleMode,
  ImageType,
  JpegAlphaFlags,
  Ropd,
  displayChannel,
} from "../protocol/index.ts";
import type { Rect } from "../protocol/red-command.ts";
import type { DrawPlan } from "./draw-plan.ts";
import type { Drawable } from "./drawable.ts";
import type { EncodedImage } from "./image-encoders.ts";
import type { Picture } from "./picture.ts";

/** Where messages go: a channel client. */
export interface MessageSink {
  send<T>(definition: MessageDef<T>, value: T): void;
}

/** What it takes to put a drawable's pictures on one client's wire. */
export interface PictureWire extends MessageSink {
  encode(picture: Picture): EncodedImage;
  /** An image id that was not used before on this channel. */
  nextImageId(): bigint;
}

const server = displayChannel.server;
const noMask: SpiceQMask = { flags: 0, pos: { x: 0, y: 0 }, bitmap: null };
const noClip: SpiceClip = { type: ClipType.None };

/** Sends a drawable as the messages of its plan, which is not `pixels`. */
export function sendDrawable(wire: PictureWire, drawable: Drawable, plan: Exclude<DrawPlan, "pixels">): void {
  const { command, surface, region } = drawable;
  const { operation } = command;
  const surfaceId = surface.id;
  switch (plan) {
    case "fill": {
      if (operation.type !== "fill" || operation.brush.type !== "solid") return;
      const { color } = operation.brush;
      for (const base of bases(drawable)) {
        const brush = { type: BrushType.Solid, color: color >>> 0 };
        wire.send(server.drawFill, { base, data: { brush, ropDescriptor: operation.rop, mask: noMask } });
      }
      return;
    }
    case "copyBitmap":
      for (const { rect, picture } of drawable.copies) {
        const image = wireImage(wire.encode(picture), wire.nextImageId());
        sendCopy(wire, { surfaceId, box: rect, clip: pieceClip(drawable) }, image, origin(rect));
      }
      return;
    case "copySurface": {
      if (operation.type !== "copy" || operation.src.kind !== "surface") return;
      const { src } = operation;
      const descriptor = { id: 0n, type: ImageType.Surface, flags: 0, width: src.width, height: src.height };
      for (const base of bases(drawable)) {
        const image: SpiceImage = { descriptor, surface: { surfaceId: src.surfaceId } };
        sendCopy(wire, base, image, drawable.sourceRect(base.box));
      }
      return;
    }
    case "copyBits": {
      const { left: x, top: y } = drawable.copyBitsSource;
      const box = region.bounds();
      // One message for all rectangles, as they may overlap the source of each other.
      const clip = region.size === 1 ? noClip : { type: ClipType.Rects, rects: region.rects() };
      wire.send(server.copyBits, {
        base: { surfaceId, box, clip },
        srcPos: { x, y },
      });
      return;
    }
    case "blackness":
    case "whiteness":
    case "invers": {
      const message = {
        blackness: server.drawBlackness,
        whiteness: server.drawWhiteness,
        invers: server.drawInvers,
      }[plan];
      for (const base of bases(drawable)) wire.send(message, { base, data: { mask: noMask } });
    }
  }
}

/** Sends pixels as a lossless DRAW_COPY of the whole picture to `rect`. */
export function sendPicture(wire: PictureWire, surfaceId: number, rect: Rect, picture: Picture): void {
  const image = wireImage(wire.encode(picture), wire.nextImageId());
  sendCopy(wire, { surfaceId, box: rect, clip: noClip }, image, origin(rect));
}

interface Base {
  readonly surfaceId: number;
  readonly box: Rect;
  readonly clip: SpiceClip;
}

function sendCopy(wire: MessageSink, base: Base, srcBitmap: SpiceImage, srcArea: Rect): void {
  wire.send(server.drawCopy, {
    base,
    data: {
      srcBitmap,
      srcArea,
      ropDescriptor: Ropd.OpPut,
      scaleMode: ImageScaleMode.Interpolate,
      mask: noMask,
    },
  });
}

/** One message per piece, or one with a clip where the pieces are many. */
function bases(drawable: Drawable): Base[] {
  return drawable.pieces.map((box) => ({
    surfaceId: drawable.surface.id,
    box,
    clip: pieceClip(drawable),
  }));
}

/** The clip of a message whose box is one of the pieces: a piece that stands for many rectangles needs them. */
function pieceClip({ region, pieces }: Drawable): SpiceClip {
  return pieces.length === region.size ? noClip : { type: ClipType.Rects, rects: region.rects() };
}

/** The same size at (0, 0). */
function origin({ top, left, bottom, right }: Rect): Rect {
  return { top: 0, left: 0, bottom: bottom - top, right: right - left };
}

/** The Image of spice.proto. Nothing is cached at the client: `id` only has to differ. */
export function wireImage(image: EncodedImage, id: bigint): SpiceImage {
  const { width, height, data } = image;
  const descriptor = { id, flags: 0, width, height };
  switch (image.imageType) {
    case ImageType.Quic:
      return { descriptor: { ...descriptor, type: ImageType.Quic }, quic: { data } };
    case ImageType.LzRgb:
      return { descriptor: { ...descriptor, type: ImageType.LzRgb }, lzRgb: { data } };
    case ImageType.GlzRgb:
      return { descriptor: { ...descriptor, type: ImageType.GlzRgb }, lzRgb: { data } };
    case ImageType.ZlibGlzRgb: {
      const zlibGlz = { glzDataSize: image.innerBytes, data };
      return { descriptor: { ...descriptor, type: ImageType.ZlibGlzRgb }, zlibGlz };
    }
    case ImageType.Jpeg:
      return { descriptor: { ...descriptor, type: ImageType.Jpeg }, jpeg: { data } };
    case ImageType.JpegAlpha: {
      const jpegAlpha = {
        flags: image.topDown ? JpegAlphaFlags.TopDown : 0,
        jpegSize: image.innerBytes,
        data,
      };
      return { descriptor: { ...descriptor, type: ImageType.JpegAlpha }, jpegAlpha };
    }
    case ImageType.Lz4:
      return { descriptor: { ...descriptor, type: ImageType.Lz4 }, lz4: { data } };
    case ImageType.LzPlt:
      return {
        descriptor: { ...descriptor, type: ImageType.LzPlt },
        lzPlt: { flags: BitmapFlags.TopDown, palette: wirePalette(image, id), data },
      };
    default:
      return {
        descriptor: { ...descriptor, type: ImageType.Bitmap },
        bitmap: {
          format: image.format,
          flags: BitmapFlags.TopDown,
          x: width,
          y: height,
          stride: image.stride,
          palette: isPalette(image.format) ? wirePalette(image, id) : null,
          data,
        },
      };
  }
}

function wirePalette({ palette }: EncodedImage, unique: bigint): SpicePalette {
  return { unique, ents: Array.from(palette ?? []) };
}

import type { MessageDef, SpiceClip, SpiceImage, SpiceQMask } from "../../protocol/index.ts";
import {
  BrushType,
  ClipType,
  ImageScaleMode,
  ImageType,
  Ropd,
  displayChannel,
} from "../../protocol/index.ts";
import type { Rect } from "../../protocol/red-command.ts";
import type { DrawPlan } from "./draw-plan.ts";
import type { Drawable } from "./drawable.ts";
import type { GuestImage } from "../images/guest-image.ts";
import type { Picture } from "../images/picture.ts";

/** Where messages go: a channel client. */
export interface MessageSink {
  send<T>(definition: MessageDef<T>, value: T): void;
}

/** What it takes to put a drawable's pictures on one client's wire. Images are for the next message, which must follow at once. */
export interface PictureWire extends MessageSink {
  /** A picture that the client does not keep. */
  image(picture: Picture): SpiceImage;
  /** An image of the guest by way of the client's cache; undefined if it is not worth that, with `drawn` of its pixels needed. */
  cached(image: GuestImage, drawn: number): SpiceImage | undefined;
}

const server = displayChannel.server;
const noMask: SpiceQMask = { flags: 0, pos: { x: 0, y: 0 }, bitmap: null };
const noClip: SpiceClip = { type: ClipType.None };

/**
 * Sends a bitmap's copy: whole for the client's cache, or the strips that are drawn, one at each call from the `index`th on.
 * @returns whether there is more to send
 */
export function sendCopies(wire: PictureWire, drawable: Drawable, index: number): boolean {
  const kept = index === 0 ? drawable.image && wire.cached(drawable.image, drawable.region.area) : undefined;
  if (kept !== undefined) {
    const base = regionBase(drawable);
    sendCopy(wire, base, kept, drawable.sourceRect(base.box));
    return false;
  }
  const { rect, picture } = drawable.copies[index];
  const base = { surfaceId: drawable.surface.id, box: rect, clip: pieceClip(drawable) };
  sendCopy(wire, base, wire.image(picture), origin(rect));
  return index + 1 < drawable.copies.length;
}

/** Sends a drawable without pixels of its own as the messages of its plan. */
export function sendDrawable(
  wire: MessageSink,
  drawable: Drawable,
  plan: Exclude<DrawPlan, "pixels" | "copyBitmap">,
): void {
  const { operation } = drawable.command;
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
      // One message for all rectangles, as they may overlap the source of each other.
      return wire.send(server.copyBits, { base: regionBase(drawable), srcPos: { x, y } });
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

/** Copies all of a surface that the client has to another one of the same size. */
export function sendSurface(wire: MessageSink, from: number, to: number, box: Rect): void {
  const { right: width, bottom: height } = box;
  const descriptor = { id: 0n, type: ImageType.Surface, flags: 0, width, height };
  sendCopy(
    wire,
    { surfaceId: to, box, clip: noClip },
    { descriptor, surface: { surfaceId: from } },
    origin(box),
  );
}

/** Sends pixels as a lossless DRAW_COPY of the whole picture to `rect`. */
export function sendPicture(wire: PictureWire, surfaceId: number, rect: Rect, picture: Picture): void {
  sendCopy(wire, { surfaceId, box: rect, clip: noClip }, wire.image(picture), origin(rect));
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

/** All of the drawable in one message: its bounding box, with a clip where that is more. */
function regionBase({ surface, region }: Drawable): Base {
  const clip = region.size === 1 ? noClip : { type: ClipType.Rects, rects: region.rects() };
  return { surfaceId: surface.id, box: region.bounds(), clip };
}

/** The clip of a message whose box is one of the pieces: a piece that stands for many rectangles needs them. */
function pieceClip({ region, pieces }: Drawable): SpiceClip {
  return pieces.length === region.size ? noClip : { type: ClipType.Rects, rects: region.rects() };
}

/** The same size at (0, 0). */
function origin({ top, left, bottom, right }: Rect): Rect {
  return { top: 0, left: 0, bottom: bottom - top, right: right - left };
}

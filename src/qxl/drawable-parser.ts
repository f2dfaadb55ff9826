import { CodedError } from "../errors/index.ts";
import {
  QXLAlphaBlend,
  QXLBlackness,
  QXLBrush,
  QXLClip,
  QXLClipRects,
  QXLCompatAlphaBlend,
  QXLCompatDrawable,
  QXLCopy,
  QXLCopyBits,
  QXLDrawable,
  QXLFill,
  QXLOpaque,
  QXLPattern,
  QXLQMask,
  QXLRop3,
  QXLTransparent,
  QxlDraw,
} from "../protocol/index.ts";
import type {
  Rect,
  RedBrush,
  RedDrawOperation,
  RedDrawable,
  RedImage,
  RedMask,
} from "../protocol/red-command.ts";
import { SMALL_CLIP_RECTS, rgbFrom555 } from "../raster/index.ts";
import { copyChunks } from "./data-chunks.ts";
import { QxlGuestError } from "./errors.ts";
import type { ImageContext, NeededRows } from "./image-parser.ts";
import { parseImage, parseMaskImage } from "./image-parser.ts";
import { MAX_CLIP_RECTS } from "./limits.ts";
import type { StructReader } from "./struct-reader.ts";

const CLIP_NONE = 0;
const CLIP_RECTS = 1;
const BRUSH_SOLID = 1;
const BRUSH_PATTERN = 2;
const MASK_INVERS = 1;

/** What parsing a drawable needs to know of the device. */
export interface DrawableContext extends ImageContext {
  /** COMPAT mode: the command is a QXLCompatDrawable. */
  readonly compat: boolean;
  /** Size of a living surface. */
  surfaceSize(id: number): { readonly width: number; readonly height: number } | undefined;
}

/** Operations that exist in QXL but not in RedDrawOperation. */
const unsupported = new Map<number, string>([
  [QxlDraw.Stroke, "stroke"],
  [QxlDraw.Text, "text"],
  [QxlDraw.Composite, "composite"],
]);

/** A drawable whose operation this server does not draw yet. */
export class UnsupportedDrawError extends CodedError {
  override readonly name = "UnsupportedDrawError";
  readonly code = "QXL_UNSUPPORTED_DRAW";
}

/**
 * Copies QXL_CMD_DRAW with all that it points to out of the guest.
 * @throws QxlGuestError, UnsupportedDrawError
 */
export function parseDrawable(context: DrawableContext, address: bigint): RedDrawable {
  const { compat } = context;
  const layout = compat ? QXLCompatDrawable : QXLDrawable;
  const { offset } = layout;
  const qxl = context.slots.copy(address, layout.size, layout.name);
  const surfaceId = compat ? 0 : qxl.u32(QXLDrawable.offset.surfaceId);
  const size = context.surfaceSize(surfaceId);
  if (size === undefined)
    throw new QxlGuestError("QXLDrawable.surface_id", `there is no surface ${surfaceId}`);
  const bbox = qxl.rect(offset.bbox);
  if (bbox.left > bbox.right || bbox.top > bbox.bottom)
    throw new QxlGuestError("QXLDrawable.bbox", "inside out");
  const clip = parseClip(context, qxl, offset.clip);
  const visible: Rect = {
    top: Math.max(0, bbox.top),
    left: Math.max(0, bbox.left),
    bottom: Math.min(size.height, bbox.bottom),
    right: Math.min(size.width, bbox.right),
  };
  const parser = new OperationParser(context, qxl, offset.u, bbox, visible);
  const operation = parser.parse(qxl.u8(offset.type));
  return {
    type: "draw",
    surfaceId,
    effect: qxl.u8(offset.effect),
    mmTime: qxl.u32(offset.mmTime),
    bbox: parser.bbox,
    ...clip,
    operation,
  };
}

/** A few rectangles as objects, many as they are: a message of so many objects would hold the thread that takes it apart. */
function parseClip(
  { slots, sink }: DrawableContext,
  qxl: StructReader,
  at: number,
): Pick<RedDrawable, "clip" | "clipData"> {
  const type = qxl.u32(at + QXLClip.offset.type);
  if (type === CLIP_NONE) return {};
  if (type !== CLIP_RECTS) throw new QxlGuestError("QXLClip.type", `${type} is unknown`);
  const field = "QXLClipRects";
  const address = qxl.u64(at + QXLClip.offset.data);
  const count = slots.copy(address, QXLClipRects.size, field).u32(QXLClipRects.offset.numRects);
  if (count > MAX_CLIP_RECTS) {
    throw new QxlGuestError("QXLClipRects.num_rects", `${count}, at most ${MAX_CLIP_RECTS} are drawn`);
  }
  const length = 16 * count;
  const chunk = address + BigInt(QXLClipRects.offset.chunk);
  if (count > SMALL_CLIP_RECTS) {
    const clipData = sink.allocate(length);
    copyChunks(slots, chunk, 0, length, length, sink.data, clipData.offset, "QXLClipRects.chunk");
    return { clipData };
  }
  const bytes = new Uint8Array(length);
  copyChunks(slots, chunk, 0, length, length, bytes, 0, "QXLClipRects.chunk");
  const view = new DataView(bytes.buffer);
  const clip = Array.from({ length: count }, (_, i) => ({
    top: view.getInt32(16 * i, true),
    left: view.getInt32(16 * i + 4, true),
    bottom: view.getInt32(16 * i + 8, true),
    right: view.getInt32(16 * i + 12, true),
  }));
  return { clip };
}

/** Parses the union of a drawable. */
class OperationParser {
  /** The drawable's bounding box; cut to the surface where that saves copying pixels. */
  bbox: Rect;
  readonly #context: DrawableContext;
  readonly #qxl: StructReader;
  readonly #at: number;
  readonly #visible: Rect;

  constructor(context: DrawableContext, qxl: StructReader, at: number, bbox: Rect, visible: Rect) {
    this.#context = context;
    this.#qxl = qxl;
    this.#at = at;
    this.bbox = bbox;
    this.#visible = visible;
  }

  parse(type: number): RedDrawOperation {
    switch (type) {
      case QxlDraw.Nop:
        return { type: "nop" };
      case QxlDraw.Fill: {
        const { offset } = QXLFill;
        const brush = this.#brush(offset.brush);
        return { type: "fill", brush, rop: this.#u16(offset.ropDescriptor), mask: this.#mask(offset.mask) };
      }
      case QxlDraw.Opaque: {
        const { offset } = QXLOpaque;
        const source = this.#source(offset.srcBitmap, offset.srcArea);
        const brush = this.#brush(offset.brush);
        const [rop, scaleMode] = [this.#u16(offset.ropDescriptor), this.#scaleMode(offset.scaleMode)];
        return { type: "opaque", ...source, brush, rop, scaleMode, mask: this.#mask(offset.mask) };
      }
      case QxlDraw.Copy:
        return this.#copy("copy");
      case QxlDraw.Blend:
        return this.#copy("blend");
      case QxlDraw.CopyBits:
        return { type: "copyBits", src: this.#qxl.point(this.#at + QXLCopyBits.offset.srcPos) };
      case QxlDraw.Blackness:
        return { type: "blackness", mask: this.#mask(QXLBlackness.offset.mask) };
      case QxlDraw.Whiteness:
        return { type: "whiteness", mask: this.#mask(QXLBlackness.offset.mask) };
      case QxlDraw.Invers:
        return { type: "invers", mask: this.#mask(QXLBlackness.offset.mask) };
      case QxlDraw.Rop3: {
        const { offset } = QXLRop3;
        const source = this.#source(offset.srcBitmap, offset.srcArea);
        const brush = this.#brush(offset.brush);
        const [rop3, scaleMode] = [this.#u8(offset.rop3), this.#scaleMode(offset.scaleMode)];
        return { type: "rop3", ...source, brush, rop3, scaleMode, mask: this.#mask(offset.mask) };
      }
      case QxlDraw.Transparent: {
        const { offset } = QXLTransparent;
        const [srcColor, trueColor] = [this.#u32(offset.srcColor), this.#u32(offset.trueColor)];
        return {
          type: "transparent",
          ...this.#source(offset.srcBitmap, offset.srcArea),
          srcColor,
          trueColor,
        };
      }
      case QxlDraw.AlphaBlend:
        return this.#alphaBlend();
      default: {
        const name = unsupported.get(type);
        if (name !== undefined) throw new UnsupportedDrawError(name);
        throw new QxlGuestError("QXLDrawable.type", `${type} is unknown`);
      }
    }
  }

  #alphaBlend(): RedDrawOperation {
    if (this.#context.compat) {
      const { offset } = QXLCompatAlphaBlend;
      const source = this.#source(offset.srcBitmap, offset.srcArea);
      return { type: "alphaBlend", flags: 0, alpha: this.#u8(offset.alpha), ...source };
    }
    const { offset } = QXLAlphaBlend;
    const source = this.#source(offset.srcBitmap, offset.srcArea);
    return {
      type: "alphaBlend",
      flags: this.#u16(offset.alphaFlags),
      alpha: this.#u8(offset.alpha),
      ...source,
    };
  }

  #copy(type: "copy" | "blend"): RedDrawOperation {
    const { offset } = QXLCopy;
    const rop = this.#u16(offset.ropDescriptor);
    const scaleMode = this.#scaleMode(offset.scaleMode);
    const mask = this.#mask(offset.mask);
    let srcArea = this.#qxl.rect(this.#at + offset.srcArea);
    if (srcArea.left < 0 || srcArea.top < 0)
      throw new QxlGuestError("QXLCopy.src_area", "beyond the picture");
    if (mask === undefined && this.#isUnscaled(srcArea)) srcArea = this.#cutToSurface(srcArea);
    const { src, srcArea: area } = this.#imageRows(this.#phys(offset.srcBitmap), srcArea);
    if (src.kind !== "surface" && (area.right > src.width || area.bottom > src.height)) {
      throw new QxlGuestError("QXLCopy.src_area", "beyond the picture");
    }
    return { type, src, srcArea: area, rop, scaleMode, mask };
  }

  #isUnscaled(srcArea: Rect): boolean {
    const { top, left, bottom, right } = this.bbox;
    return srcArea.right - srcArea.left === right - left && srcArea.bottom - srcArea.top === bottom - top;
  }

  /** What lies beyond the surface is not copied: the driver's first drawables are larger than its first primary. */
  #cutToSurface(srcArea: Rect): Rect {
    const from = this.bbox;
    const to = this.#visible;
    if (to.left >= to.right || to.top >= to.bottom) return srcArea;
    this.bbox = to;
    return {
      top: srcArea.top + to.top - from.top,
      left: srcArea.left + to.left - from.left,
      bottom: srcArea.bottom + to.bottom - from.bottom,
      right: srcArea.right + to.right - from.right,
    };
  }

  #source(bitmap: number, area: number): { src: RedImage; srcArea: Rect } {
    const srcArea = this.#qxl.rect(this.#at + area);
    if (srcArea.left > srcArea.right || srcArea.top > srcArea.bottom) {
      throw new QxlGuestError("src_area", "inside out");
    }
    const { image } = parseImage(this.#context, this.#phys(bitmap));
    return { src: image, srcArea };
  }

  /** The picture cut to the rows of `srcArea`, when interpolation does not look beyond them. */
  #imageRows(address: bigint, srcArea: Rect): { src: RedImage; srcArea: Rect } {
    const { top, bottom } = srcArea;
    const needed: NeededRows | undefined =
      top < bottom && this.#isUnscaled(srcArea) ? { top, bottom } : undefined;
    const { image, top: first } = parseImage(this.#context, address, needed);
    return { src: image, srcArea: { ...srcArea, top: top - first, bottom: bottom - first } };
  }

  #brush(field: number): RedBrush {
    const at = this.#at + field;
    const qxl = this.#qxl;
    switch (qxl.u32(at + QXLBrush.offset.type)) {
      case BRUSH_SOLID: {
        const color = qxl.u32(at + QXLBrush.offset.u);
        return { type: "solid", color: this.#context.compat16 ? rgbFrom555(color) : color };
      }
      case BRUSH_PATTERN: {
        const pattern = at + QXLBrush.offset.u;
        const { image } = parseImage(this.#context, qxl.u64(pattern + QXLPattern.offset.pat));
        return { type: "pattern", image, pos: qxl.point(pattern + QXLPattern.offset.pos) };
      }
      default:
        return { type: "none" };
    }
  }

  #mask(field: number): RedMask | undefined {
    const at = this.#at + field;
    const qxl = this.#qxl;
    const address = qxl.u64(at + QXLQMask.offset.bitmap);
    if (address === 0n) return undefined;
    const inverse = (qxl.u8(at + QXLQMask.offset.flags) & MASK_INVERS) !== 0;
    const bitmap = parseMaskImage(this.#context, address);
    return { inverse, pos: qxl.point(at + QXLQMask.offset.pos), bitmap };
  }

  /** SpiceImageScaleMode; the reference gives up on others. */
  #scaleMode(field: number): number {
    const mode = this.#u8(field);
    if (mode > 1) throw new QxlGuestError("scale_mode", `${mode} is unknown`);
    return mode;
  }

  #u8(field: number): number {
    return this.#qxl.u8(this.#at + field);
  }

  #u16(field: number): number {
    return this.#qxl.u16(this.#at + field);
  }

  #u32(field: number): number {
    return this.#qxl.u32(this.#at + field);
  }

  #phys(field: number): bigint {
    return this.#qxl.u64(this.#at + field);
  }
}

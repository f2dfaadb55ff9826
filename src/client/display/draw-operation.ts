import type { ParsedMessage, SpiceBrush, SpiceImage, SpiceQMask, SpiceClip } from "../../protocol/index.ts";
import { MaskFlags, displayChannel } from "../../protocol/index.ts";
import type {
  Rect,
  RedBrush,
  RedDrawOperation,
  RedDrawable,
  RedImage,
  RedMask,
} from "../../protocol/red-command.ts";
import { ClientError } from "../errors.ts";
import type { ImageReader } from "./image-reader.ts";

/** A drawing, with the bytes of all its images in one array. */
export interface ClientDrawable {
  readonly drawable: RedDrawable;
  readonly data: Uint8Array;
}

const { server } = displayChannel;
const NO_BYTES = new Uint8Array(0);
/** QXL_EFFECT_BLEND, of which clients know nothing. */
const EFFECT = 1;

/**
 * What a drawing message asks for, its images decoded; undefined for one that is no drawing, or that nobody here draws (STROKE, TEXT,
 * COMPOSITE).
 * @throws ClientError of an image
 */
export function drawOperation(message: ParsedMessage, images: ImageReader): ClientDrawable | undefined {
  const operands = new Operands(images);
  const found = operationOf(message, operands);
  if (found === undefined) return undefined;
  const { surfaceId, box: bbox, clip } = found.base;
  const clipRects = "rects" in clip ? clip.rects : undefined;
  const drawable = {
    type: "draw",
    surfaceId,
    effect: EFFECT,
    mmTime: 0,
    bbox,
    clip: clipRects,
    operation: found.operation,
  } as const;
  return { drawable, data: operands.data };
}

interface Found {
  readonly base: { readonly surfaceId: number; readonly box: Rect; readonly clip: SpiceClip };
  readonly operation: RedDrawOperation;
}

function operationOf(message: ParsedMessage, operands: Operands): Found | undefined {
  switch (message.def) {
    case server.copyBits: {
      const { base, srcPos: src } = message.as(server.copyBits)!;
      return { base, operation: { type: "copyBits", src } };
    }
    case server.drawFill: {
      const { base, data } = message.as(server.drawFill)!;
      const brush = operands.brush(data.brush);
      return {
        base,
        operation: { type: "fill", brush, rop: data.ropDescriptor, mask: operands.mask(data.mask) },
      };
    }
    case server.drawOpaque: {
      const { base, data } = message.as(server.drawOpaque)!;
      const { srcArea, ropDescriptor: rop, scaleMode } = data;
      const src = operands.image(data.srcBitmap);
      const brush = operands.brush(data.brush);
      const mask = operands.mask(data.mask);
      return { base, operation: { type: "opaque", src, srcArea, brush, rop, scaleMode, mask } };
    }
    case server.drawCopy:
    case server.drawBlend: {
      const { base, data } = (message.as(server.drawCopy) ?? message.as(server.drawBlend))!;
      const { srcArea, ropDescriptor: rop, scaleMode } = data;
      const type = message.def === server.drawCopy ? "copy" : "blend";
      const src = operands.image(data.srcBitmap);
      return { base, operation: { type, src, srcArea, rop, scaleMode, mask: operands.mask(data.mask) } };
    }
    case server.drawBlackness: {
      const { base, data } = message.as(server.drawBlackness)!;
      return { base, operation: { type: "blackness", mask: operands.mask(data.mask) } };
    }
    case server.drawWhiteness: {
      const { base, data } = message.as(server.drawWhiteness)!;
      return { base, operation: { type: "whiteness", mask: operands.mask(data.mask) } };
    }
    case server.drawInvers: {
      const { base, data } = message.as(server.drawInvers)!;
      return { base, operation: { type: "invers", mask: operands.mask(data.mask) } };
    }
    case server.drawRop3: {
      const { base, data } = message.as(server.drawRop3)!;
      const { srcArea, rop3, scaleMode } = data;
      const src = operands.image(data.srcBitmap);
      const brush = operands.brush(data.brush);
      const mask = operands.mask(data.mask);
      return { base, operation: { type: "rop3", src, srcArea, brush, rop3, scaleMode, mask } };
    }
    case server.drawTransparent: {
      const { base, data } = message.as(server.drawTransparent)!;
      const { srcArea, srcColor, trueColor } = data;
      const src = operands.image(data.srcBitmap);
      return { base, operation: { type: "transparent", src, srcArea, srcColor, trueColor } };
    }
    case server.drawAlphaBlend: {
      const { base, data } = message.as(server.drawAlphaBlend)!;
      const { srcArea, alpha, alphaFlags: flags } = data;
      const src = operands.image(data.srcBitmap);
      return { base, operation: { type: "alphaBlend", flags, alpha, src, srcArea } };
    }
    default:
      return undefined;
  }
}

/** The images of one drawing. Nearly always there is one, whose bytes are used where they are; more are joined. */
class Operands {
  data: Uint8Array = NO_BYTES;
  readonly #images: ImageReader;

  constructor(images: ImageReader) {
    this.#images = images;
  }

  image(source: SpiceImage | null): RedImage {
    if (source === null) throw new ClientError("SERVER_MESSAGE", "a drawing comes without its image");
    const { image, bytes } = this.#images.read(source);
    if (image.kind === "surface") return image;
    const before = this.data.length;
    if (before === 0) this.data = bytes;
    else {
      const joined = new Uint8Array(before + bytes.length);
      joined.set(this.data);
      joined.set(bytes, before);
      this.data = joined;
    }
    return { ...image, data: { ...image.data, offset: before + image.data.offset } };
  }

  brush(brush: SpiceBrush): RedBrush {
    if ("color" in brush) return { type: "solid", color: brush.color };
    if (!("pattern" in brush)) return { type: "none" };
    return { type: "pattern", image: this.image(brush.pattern.pat), pos: brush.pattern.pos };
  }

  mask({ flags, pos, bitmap }: SpiceQMask): RedMask | undefined {
    if (bitmap === null) return undefined;
    return { inverse: (flags & MaskFlags.Invers) !== 0, pos, bitmap: this.image(bitmap) };
  }
}

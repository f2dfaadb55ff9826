/** Drawables of a recording (`red_record_drawable` of red-record-qxl.cpp): the operation with its images, brushes, masks and clip. */
import type {
  Point,
  Rect,
  RedBitmap,
  RedBrush,
  RedCommand,
  RedDrawOperation,
  RedImage,
  RedMask,
} from "../protocol/red-command.ts";
import type { RecordingReader } from "./recording-reader.ts";
import { RecordingError, SpanCollector } from "./recording-reader.ts";

const CACHE_ME = 1;
const HIGH_BITS_SET = 2;
const BITMAP_DIRECT = 1;
const BITMAP_TOP_DOWN = 4;

/** Reads what stands behind a DRAW command's first line; pixels go to the event's spans. */
export class RecordedDrawables {
  readonly #reader: RecordingReader;
  readonly #spans: SpanCollector;

  constructor(reader: RecordingReader, spans: SpanCollector) {
    this.#reader = reader;
    this.#spans = spans;
  }

  /** The drawable that comes next, or the name of an operation that RedDrawOperation does not have. @throws RecordingError */
  read(): RedCommand[] | string {
    const reader = this.#reader;
    const bbox = this.rect("bbox");
    const clip = this.#clip();
    const effect = reader.number("effect");
    const mmTime = reader.number("mm_time") >>> 0;
    reader.number("self_bitmap");
    this.rect("self_bitmap_area");
    const surfaceId = reader.number("surface_id");
    for (let i = 0; i < 3; i++) {
      reader.number("surfaces_dest");
      this.rect("surfaces_rects");
    }
    const operation = this.#operation(reader.number("type"));
    if (typeof operation === "string") return operation;
    return [{ type: "draw", surfaceId, effect, mmTime, bbox, clip, operation }];
  }

  #operation(type: number): RedDrawOperation | string {
    const reader = this.#reader;
    switch (type) {
      case 0:
        return { type: "nop" };
      case 1:
        return {
          type: "fill",
          brush: this.#brush(),
          rop: reader.number("rop_descriptor"),
          mask: this.#mask(),
        };
      case 2: {
        const source = { src: this.#image(), srcArea: this.rect("src_area"), brush: this.#brush() };
        return { type: "opaque", ...source, rop: reader.number("rop_descriptor"), ...this.#scaleAndMask() };
      }
      case 3:
      case 5: {
        const source = { src: this.#image(), srcArea: this.rect("src_area") };
        const rop = reader.number("rop_descriptor");
        return { type: type === 3 ? "copy" : "blend", ...source, rop, ...this.#scaleAndMask() };
      }
      case 4:
        return { type: "copyBits", src: this.point("point") };
      case 6:
        return { type: "blackness", mask: this.#mask() };
      case 7:
        return { type: "whiteness", mask: this.#mask() };
      case 8:
        return { type: "invers", mask: this.#mask() };
      case 9: {
        const source = { src: this.#image(), srcArea: this.rect("src_area"), brush: this.#brush() };
        return { type: "rop3", ...source, rop3: reader.number("rop3"), ...this.#scaleAndMask() };
      }
      case 10:
        this.#skipStroke();
        return "stroke";
      case 11:
        this.#skipText();
        return "text";
      case 12: {
        const source = { src: this.#image(), srcArea: this.rect("src_area") };
        const srcColor = reader.number("src_color") >>> 0;
        return { type: "transparent", ...source, srcColor, trueColor: reader.number("true_color") >>> 0 };
      }
      case 13: {
        const flags = reader.number("alpha_flags");
        const alpha = reader.number("alpha");
        return { type: "alphaBlend", flags, alpha, src: this.#image(), srcArea: this.rect("src_area") };
      }
      case 14:
        this.#skipComposite();
        return "composite";
      default:
        throw new RecordingError(reader.position, `unknown draw type ${type}`);
    }
  }

  #scaleAndMask(): { scaleMode: number; mask: RedMask } {
    return { scaleMode: this.#reader.number("scale_mode"), mask: this.#mask() };
  }

  #skipStroke(): void {
    const reader = this.#reader;
    reader.chunks("path");
    if (reader.number("attr.flags") & 8) {
      reader.number("attr.style_nseg");
      reader.blob("style");
    }
    this.#brush();
    reader.number("fore_mode");
    reader.number("back_mode");
  }

  #skipText(): void {
    const reader = this.#reader;
    for (const key of ["data_size", "length", "flags"]) reader.number(key);
    reader.chunks("string");
    this.rect("back_area");
    this.#brush();
    this.#brush();
    reader.number("fore_mode");
    reader.number("back_mode");
  }

  #skipComposite(): void {
    const reader = this.#reader;
    reader.number("flags");
    this.#optionalImage();
    if (reader.number("src_transform")) reader.blob("transform");
    if (reader.number("mask")) this.#optionalImage();
    if (reader.number("mask_transform")) reader.blob("transform");
    reader.words("src_origin");
    reader.words("mask_origin");
  }

  #image(): RedImage {
    const at = this.#reader.position;
    const image = this.#optionalImage();
    if (image === undefined) throw new RecordingError(at, "an operation without its image");
    return image;
  }

  #optionalImage(): RedImage | undefined {
    const reader = this.#reader;
    const at = reader.position;
    if (reader.number("image") === 0) return undefined;
    const id = BigInt.asUintN(64, reader.bigint("descriptor.id"));
    const type = reader.number("descriptor.type");
    const flags = reader.number("descriptor.flags");
    const cacheMe = (flags & CACHE_ME) !== 0;
    const width = reader.number("descriptor.width");
    const height = reader.number("descriptor.height");
    switch (type) {
      case 0:
        return this.#bitmap({ id, cacheMe, highBitsSet: (flags & HIGH_BITS_SET) !== 0 });
      case 1:
        reader.number("quic.data_size");
        return {
          kind: "quic",
          id,
          cacheMe,
          width,
          height,
          data: this.#spans.add(reader.chunks("quic.data")),
        };
      case 104:
        return { kind: "surface", surfaceId: reader.number("surface_image.surface_id"), width, height };
      default:
        throw new RecordingError(at, `unknown image type ${type}`);
    }
  }

  #bitmap(caching: Pick<RedBitmap, "id" | "cacheMe" | "highBitsSet">): RedImage {
    const reader = this.#reader;
    const format = reader.number("bitmap.format");
    const flags = reader.number("bitmap.flags");
    const width = reader.number("bitmap.x");
    const height = reader.number("bitmap.y");
    const stride = reader.number("bitmap.stride");
    let palette: { unique: bigint; entries: number[] } | undefined;
    if (reader.number("has_palette")) {
      const count = reader.number("qp.num_ents");
      const unique = BigInt.asUintN(64, reader.bigint("unique"));
      palette = { unique, entries: Array.from({ length: count }, () => reader.number("ents") >>> 0) };
    }
    const parts = flags & BITMAP_DIRECT ? [reader.blob("image_data_flat")] : reader.chunks("bitmap.data");
    const topDown = (flags & BITMAP_TOP_DOWN) !== 0;
    const data = this.#spans.add(parts);
    return { kind: "bitmap", ...caching, format, width, height, stride, topDown, palette, data };
  }

  #brush(): RedBrush {
    switch (this.#reader.number("type")) {
      case 1:
        return { type: "solid", color: this.#reader.number("u.color") >>> 0 };
      case 2:
        return { type: "pattern", image: this.#image(), pos: this.point("point") };
      default:
        return { type: "none" };
    }
  }

  #mask(): RedMask {
    const inverse = (this.#reader.number("flags") & 1) !== 0;
    const pos = this.point("point");
    return { inverse, pos, bitmap: this.#optionalImage() };
  }

  #clip(): Rect[] | undefined {
    const reader = this.#reader;
    if (reader.number("type") !== 1) return undefined;
    const count = reader.number("num_rects");
    const collector = new SpanCollector();
    collector.add(reader.chunks("clip_rects"));
    const view = new DataView(collector.take().buffer);
    return Array.from({ length: count }, (_, i) => ({
      top: view.getInt32(16 * i, true),
      left: view.getInt32(16 * i + 4, true),
      bottom: view.getInt32(16 * i + 8, true),
      right: view.getInt32(16 * i + 12, true),
    }));
  }

  rect(name: string): Rect {
    const [top, left, bottom, right] = this.#reader.numbers("rect", name);
    return { top, left, bottom, right };
  }

  point(key: "point" | "point16"): Point {
    const [x, y] = this.#reader.numbers(key);
    return { x, y };
  }
}

/**
 * Recordings of libspice-server (`SPICE_WORKER_RECORD_FILENAME`): a virtual machine's whole stream of QXL commands with their
 * pixels, as RedCommands. Format: `red-record-qxl.cpp` of spice 0.15.1, first line "SPICE_REPLAY 1".
 */
import type {
  Point,
  Rect,
  RedBitmap,
  RedBrush,
  RedCommand,
  RedDrawOperation,
  RedImage,
  RedMask,
  RedSurfaceCreate,
} from "../protocol/red-command.ts";
import { RecordingError, RecordingReader, SpanCollector } from "./recording-reader.ts";

/** One event of a recording. */
export interface RedCommandEvent {
  /** 0-based index over all events. */
  readonly event: number;
  /** 0-based index over the ring commands alone; undefined for a message. */
  readonly command?: number;
  /** When the worker handled it: CLOCK_MONOTONIC in nanoseconds. */
  readonly time: bigint;
  /** What it means for a red worker; empty for what has no effect on the picture. */
  readonly commands: readonly RedCommand[];
  /** What the commands' DataSpans point into. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The drawing operation when it is none of RedDrawOperation (`stroke`, `text`, `composite`): it was skipped. */
  readonly unsupported?: string;
}

/** RedWorkerMessage numbers that change the picture. */
const Message = {
  DESTROY_SURFACES: 19,
  CREATE_PRIMARY_SURFACE: 20,
  DESTROY_PRIMARY_SURFACE: 21,
  RESET_CURSOR: 22,
  DESTROY_SURFACES_ASYNC: 28,
  CREATE_PRIMARY_SURFACE_ASYNC: 29,
  DESTROY_PRIMARY_SURFACE_ASYNC: 30,
} as const;

const QXL_CMD = { DRAW: 1, UPDATE: 2, CURSOR: 3, MESSAGE: 4, SURFACE: 5 } as const;
const CACHE_ME = 1;
const HIGH_BITS_SET = 2;
const BITMAP_DIRECT = 1;
const BITMAP_TOP_DOWN = 4;
const KEEP_DATA = 1;
const EVERY_SURFACE = -1;

/**
 * Reads a whole recording (already decompressed), event by event.
 * @throws RecordingError
 */
export function* readRecording(bytes: Uint8Array): Generator<RedCommandEvent> {
  const reader = new RecordingReader(bytes);
  if (reader.line() !== "SPICE_REPLAY 1")
    throw new RecordingError(0, 'the first line is not "SPICE_REPLAY 1"');
  const parser = new EventParser(reader);
  while (!reader.atEnd) yield parser.next();
}

class EventParser {
  readonly #reader: RecordingReader;
  readonly #spans = new SpanCollector();
  readonly #surfaces = new Set<number>();
  #commandsSeen = 0;

  constructor(reader: RecordingReader) {
    this.#reader = reader;
  }

  next(): RedCommandEvent {
    const at = this.#reader.position;
    const [counter, what, type, time] = this.#reader.words("event");
    if (time === undefined) throw new RecordingError(at, "an event line has too few words");
    const common = { event: Number(counter), time: BigInt(time) };
    if (what === "1") return { ...common, commands: this.#message(Number(type)), data: this.#spans.take() };
    const command = this.#commandsSeen++;
    const result = this.#command(Number(type), at);
    if (typeof result === "string") {
      this.#spans.take();
      return { ...common, command, commands: [], data: new Uint8Array(0), unsupported: result };
    }
    return { ...common, command, commands: result, data: this.#spans.take() };
  }

  #message(type: number): RedCommand[] {
    switch (type) {
      case Message.CREATE_PRIMARY_SURFACE:
      case Message.CREATE_PRIMARY_SURFACE_ASYNC:
        return this.#createPrimary();
      case Message.DESTROY_PRIMARY_SURFACE:
      case Message.DESTROY_PRIMARY_SURFACE_ASYNC:
        return this.#destroy(0);
      case Message.DESTROY_SURFACES:
      case Message.DESTROY_SURFACES_ASYNC:
        return this.#destroy(EVERY_SURFACE);
      case Message.RESET_CURSOR:
        return [{ type: "cursorReset" }];
      default:
        return [];
    }
  }

  #createPrimary(): RedCommand[] {
    const [width, height, stride, format] = this.#reader.line().split(" ").map(Number);
    const [, mouseMode] = this.#reader.line().split(" ").map(Number);
    const data = this.#rows(this.#reader.blob("data"), stride, height);
    return this.#create({
      type: "surfaceCreate",
      surfaceId: 0,
      format,
      width,
      height,
      stride: Math.abs(stride),
      mouseMode,
      data,
    });
  }

  /** Top-down rows of a surface's memory; undefined when it was not recorded. */
  #rows(memory: Uint8Array, stride: number, height: number): RedSurfaceCreate["data"] {
    if (memory.length === 0) return undefined;
    if (stride > 0) return this.#spans.add([memory]);
    const rows = Array.from({ length: height }, (_, y) => memory.subarray(y * -stride, (y + 1) * -stride));
    return this.#spans.add(rows.toReversed());
  }

  /** A new surface takes the place of one that has its id. */
  #create(create: RedSurfaceCreate): RedCommand[] {
    const before = this.#destroy(create.surfaceId);
    this.#surfaces.add(create.surfaceId);
    return [...before, create];
  }

  #destroy(id: number): RedCommand[] {
    const ids = id === EVERY_SURFACE ? [...this.#surfaces] : [id].filter((one) => this.#surfaces.has(one));
    for (const one of ids) this.#surfaces.delete(one);
    return ids.map((surfaceId) => ({ type: "surfaceDestroy", surfaceId }));
  }

  #command(type: number, at: number): RedCommand[] | string {
    const reader = this.#reader;
    switch (type) {
      case QXL_CMD.DRAW:
        reader.words("drawable");
        return this.#drawable();
      case QXL_CMD.UPDATE:
        reader.words("update");
        this.#rect("area");
        reader.number("update_id");
        reader.number("surface_id");
        return [];
      case QXL_CMD.CURSOR:
        reader.words("cursor_cmd");
        return this.#cursor();
      case QXL_CMD.MESSAGE:
        reader.blob("message");
        return [];
      case QXL_CMD.SURFACE:
        reader.words("surface_cmd");
        return this.#surface();
      default:
        throw new RecordingError(at, `unknown command type ${type}`);
    }
  }

  #surface(): RedCommand[] {
    const reader = this.#reader;
    const surfaceId = reader.number("surface_id");
    const type = reader.number("type");
    const flags = reader.number("flags");
    if (type !== 0) return this.#destroy(surfaceId);
    const format = reader.number("u.surface_create.format");
    const width = reader.number("u.surface_create.width");
    const height = reader.number("u.surface_create.height");
    const stride = reader.number("u.surface_create.stride");
    const data = flags & KEEP_DATA ? this.#rows(reader.blob("data"), stride, height) : undefined;
    return this.#create({
      type: "surfaceCreate",
      surfaceId,
      format,
      width,
      height,
      stride: Math.abs(stride),
      data,
    });
  }

  #cursor(): RedCommand[] {
    const reader = this.#reader;
    switch (reader.number("type")) {
      case 0: {
        const position = this.#point("point16");
        const visible = reader.number("u.set.visible") !== 0;
        const unique = reader.bigint("header.unique");
        const cursorType = reader.number("header.type");
        const width = reader.number("header.width");
        const height = reader.number("header.height");
        const hotX = reader.number("header.hot_spot_x");
        const hotY = reader.number("header.hot_spot_y");
        reader.number("data_size");
        const data = this.#spans.add(reader.chunks("cursor"));
        const shape = { unique, cursorType, width, height, hotX, hotY, data };
        return [{ type: "cursorSet", position, visible, shape }];
      }
      case 1:
        return [{ type: "cursorMove", position: this.#point("point16") }];
      case 2:
        return [{ type: "cursorHide" }];
      default: {
        const length = reader.number("u.trail.length");
        return [{ type: "cursorTrail", length, frequency: reader.number("u.trail.frequency") }];
      }
    }
  }

  #drawable(): RedCommand[] | string {
    const reader = this.#reader;
    const bbox = this.#rect("bbox");
    const clip = this.#clip();
    const effect = reader.number("effect");
    const mmTime = reader.number("mm_time") >>> 0;
    reader.number("self_bitmap");
    this.#rect("self_bitmap_area");
    const surfaceId = reader.number("surface_id");
    for (let i = 0; i < 3; i++) {
      reader.number("surfaces_dest");
      this.#rect("surfaces_rects");
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
        const source = { src: this.#image(), srcArea: this.#rect("src_area"), brush: this.#brush() };
        return { type: "opaque", ...source, rop: reader.number("rop_descriptor"), ...this.#scaleAndMask() };
      }
      case 3:
      case 5: {
        const source = { src: this.#image(), srcArea: this.#rect("src_area") };
        const rop = reader.number("rop_descriptor");
        return { type: type === 3 ? "copy" : "blend", ...source, rop, ...this.#scaleAndMask() };
      }
      case 4:
        return { type: "copyBits", src: this.#point("point") };
      case 6:
        return { type: "blackness", mask: this.#mask() };
      case 7:
        return { type: "whiteness", mask: this.#mask() };
      case 8:
        return { type: "invers", mask: this.#mask() };
      case 9: {
        const source = { src: this.#image(), srcArea: this.#rect("src_area"), brush: this.#brush() };
        return { type: "rop3", ...source, rop3: reader.number("rop3"), ...this.#scaleAndMask() };
      }
      case 10:
        this.#skipStroke();
        return "stroke";
      case 11:
        this.#skipText();
        return "text";
      case 12: {
        const source = { src: this.#image(), srcArea: this.#rect("src_area") };
        const srcColor = reader.number("src_color") >>> 0;
        return { type: "transparent", ...source, srcColor, trueColor: reader.number("true_color") >>> 0 };
      }
      case 13: {
        const flags = reader.number("alpha_flags");
        const alpha = reader.number("alpha");
        return { type: "alphaBlend", flags, alpha, src: this.#image(), srcArea: this.#rect("src_area") };
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
    this.#rect("back_area");
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
        return { type: "pattern", image: this.#image(), pos: this.#point("point") };
      default:
        return { type: "none" };
    }
  }

  #mask(): RedMask {
    const inverse = (this.#reader.number("flags") & 1) !== 0;
    const pos = this.#point("point");
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

  #rect(name: string): Rect {
    const [top, left, bottom, right] = this.#reader.numbers("rect", name);
    return { top, left, bottom, right };
  }

  #point(key: "point" | "point16"): Point {
    const [x, y] = this.#reader.numbers(key);
    return { x, y };
  }
}

/**
 * Recordings of libspice-server (`SPICE_WORKER_RECORD_FILENAME`): a virtual machine's whole stream of QXL commands with their
 * pixels, as RedCommands. Format: `red-record-qxl.cpp` of spice 0.15.1, first line "SPICE_REPLAY 1".
 */
import type { RedCommand, RedSurfaceCreate } from "../protocol/red-command.ts";
import { RecordedDrawables } from "./recording-drawables.ts";
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
  readonly #drawables: RecordedDrawables;
  readonly #surfaces = new Set<number>();
  #commandsSeen = 0;

  constructor(reader: RecordingReader) {
    this.#reader = reader;
    this.#drawables = new RecordedDrawables(reader, this.#spans);
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
        return this.#drawables.read();
      case QXL_CMD.UPDATE:
        reader.words("update");
        this.#drawables.rect("area");
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
        const position = this.#drawables.point("point16");
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
        return [{ type: "cursorMove", position: this.#drawables.point("point16") }];
      case 2:
        return [{ type: "cursorHide" }];
      default: {
        const length = reader.number("u.trail.length");
        return [{ type: "cursorTrail", length, frequency: reader.number("u.trail.frequency") }];
      }
    }
  }
}

import type { Point, Rect } from "../protocol/red-command.ts";

/** Reads fields of one packed little-endian structure that was copied out of the guest. Offsets are bytes from its start. */
export class StructReader {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  i16(at: number): number {
    return this.#view.getInt16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  i32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  /** A 64 bit number: an id, or a QXLPHYSICAL. */
  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  /** QXLRect. */
  rect(at: number): Rect {
    return { top: this.i32(at), left: this.i32(at + 4), bottom: this.i32(at + 8), right: this.i32(at + 12) };
  }

  /** QXLPoint. */
  point(at: number): Point {
    return { x: this.i32(at), y: this.i32(at + 4) };
  }

  /** QXLPoint16. */
  point16(at: number): Point {
    return { x: this.i16(at), y: this.i16(at + 2) };
  }
}

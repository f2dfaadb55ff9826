import { BitmapFmt, isPalette, rowBytes } from "./formats.ts";
import type { SurfaceHeap } from "./heap.ts";
import { Scratch } from "./heap.ts";
import type { ImageModule } from "./module.ts";
import type { ImageSource } from "./source.ts";

/** Bytes that SIMD stores may touch behind a region. */
const SLACK = 64;

/** `how` of unpack, by the names of assembly/units.ts. */
const Unpack = { BYTES: 0, RGB24: 2, RGB32: 3, ALPHA: 4, RGB16: 5 } as const;

/** Where the rows of a source lie in the heap. */
export interface PlacedRows {
  /** Address of memory row 0. */
  pointer: number;
  stride: number;
}

/** The image module with the scratch memory that its encoders share: so a stream is valid until the next is made. */
export class WasmWorkspace {
  readonly heap: SurfaceHeap;
  readonly module: ImageModule;
  private readonly input: Scratch;
  private readonly units: Scratch;
  private readonly output: Scratch;

  constructor(heap: SurfaceHeap, module: ImageModule) {
    this.heap = heap;
    this.module = module;
    this.input = new Scratch(heap);
    this.units = new Scratch(heap);
    this.output = new Scratch(heap);
  }

  /** The rows of a source: in place if its bytes are a view of the heap, else copied to scratch. */
  place(source: ImageSource): PlacedRows {
    const { bytes, offset, stride, height } = source;
    if (bytes === this.heap.u8 || bytes.buffer === this.heap.u8.buffer)
      return { pointer: bytes.byteOffset + offset, stride };
    const length = rowBytes(source.format, source.width);
    const pointer = this.input.reserve(length * height + SLACK);
    const { u8 } = this.heap;
    if (stride === length) u8.set(bytes.subarray(offset, offset + length * height), pointer);
    else {
      for (let row = 0; row < height; row++) {
        const at = offset + row * stride;
        u8.set(bytes.subarray(at, at + length), pointer + row * length);
      }
    }
    return { pointer, stride: length };
  }

  /** Scratch for `count` units. */
  reserveUnits(count: number): number {
    return this.units.reserve(count * 4 + SLACK);
  }

  /** Scratch for a stream of at most `bytes` bytes. */
  reserveOutput(bytes: number): number {
    return this.output.reserve(bytes + SLACK);
  }

  /** Unpacks the units (or, with `alpha`, the fourth bytes) of a placed source to `out`. */
  unpack(source: ImageSource, rows: PlacedRows, out: number, alpha: boolean): void {
    const { format, width, height } = source;
    const count = isPalette(format) ? rowBytes(format, width) : width;
    let how: number = Unpack.BYTES;
    if (alpha) how = Unpack.ALPHA;
    else if (format === BitmapFmt.Bit16) how = Unpack.RGB16;
    else if (format === BitmapFmt.Bit24) how = Unpack.RGB24;
    else if (format === BitmapFmt.Bit32 || format === BitmapFmt.Rgba) how = Unpack.RGB32;
    this.module.unpack(how, rows.pointer, rows.stride, count, height, out);
  }

  /** The stream of `length` bytes at `out`. */
  stream(out: number, length: number): Uint8Array {
    return this.heap.u8.subarray(out, out + length);
  }

  /** Returns the scratch memory to the heap. */
  [Symbol.dispose](): void {
    this.input.free();
    this.units.free();
    this.output.free();
  }
}

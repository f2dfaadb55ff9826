import type { SurfaceHeap } from "./heap.ts";
import { HEAP_BASE } from "./layout.ts";

/**
 * The exports of build/image/image.wasm (src/image/assembly). All pointers are addresses in the SurfaceHeap's memory, strides are in
 * bytes and may be negative, and nothing is checked: callers pass only rectangles that lie inside their allocations.
 */
export interface ImageModule {
  /** Encodes a QUIC stream; `source` is the top row. Returns its length. */
  quicEncode(
    type: number,
    source: number,
    stride: number,
    width: number,
    height: number,
    out: number,
  ): number;
  /** Unpacks pixels to units; see assembly/units.ts for `how`. */
  unpack(how: number, from: number, stride: number, count: number, height: number, out: number): void;
  /** LZ ops of `count` units; returns the end of the output. */
  lzEncode(units: number, count: number, row: number, literal: number, out: number): number;
  windowOpen(
    table: number,
    ring: number,
    ringMask: number,
    images: number,
    head: number,
    headId: number,
    id: number,
    type: number,
  ): void;
  glzEncode(units: number, count: number, row: number, literal: number, out: number, first: number): number;
  glzEncodeAlpha(units: number, count: number, row: number, out: number): number;
  /** One LZ4 block of `length` bytes; returns the end of the output. */
  lz4Encode(start: number, length: number, pixel: number, out: number): number;
  /** Most bytes that jpegEncode may write. */
  jpegBound(width: number, height: number): number;
  /** `format` 0 BGRX, 1 BGR, 2 16 bit 555; `source` is the top row. Returns the length. */
  jpegEncode(
    source: number,
    stride: number,
    width: number,
    height: number,
    format: number,
    quality: number,
    out: number,
  ): number;
  packRows(from: number, stride: number, length: number, height: number, out: number): void;
  /** Copies `height` rows of `length` bytes; rectangles of one surface may overlap. */
  copyRect(
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    length: number,
    height: number,
  ): void;
  /** Fills rows of `length` bytes with a pattern of four bytes. */
  fillRect(to: number, stride: number, length: number, height: number, pattern: number): void;
  /** to = op(from, to); `op` is a truth table, bit (source << 1 | destination): 12 copies, 6 is xor. */
  ropRect(
    op: number,
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    length: number,
    height: number,
  ): void;
  /** As ropRect with a pattern of four bytes for a source. */
  ropFill(op: number, to: number, stride: number, length: number, height: number, pattern: number): void;
  /** Premultiplied over of 32-bit pixels, `width` in pixels; the source scaled by `opacity` 0..255, its alpha taken for 255 if `opaque`. */
  overRect(
    to: number,
    toStride: number,
    from: number,
    fromStride: number,
    width: number,
    height: number,
    opacity: number,
    opaque: boolean,
  ): void;
  /** Pixels of any SpiceBitmapFmt to 32 bits; `palette` points at one u32 for each possible index. */
  convertRect(
    format: number,
    from: number,
    fromStride: number,
    width: number,
    height: number,
    to: number,
    toStride: number,
    palette: number,
  ): void;
  /** Lower half (signed) of a 64-bit hash of rows of `length` bytes; with `pad` every fourth byte counts as 0. */
  hashRect(from: number, stride: number, length: number, height: number, seed: number, pad: boolean): number;
  /** Upper half of the last hash. */
  hashUpper(): number;
  staticEnd(): number;
}

/**
 * Instantiates the image module over a heap's memory.
 * @param wasm the bytes of image.wasm or the compiled module.
 * @returns undefined where WebAssembly SIMD is missing: createCodecs then uses the plain TypeScript encoders.
 */
export async function loadImageModule(
  wasm: Uint8Array<ArrayBuffer> | ArrayBuffer | WebAssembly.Module,
  heap: SurfaceHeap,
): Promise<ImageModule | undefined> {
  let module: WebAssembly.Module;
  if (wasm instanceof WebAssembly.Module) module = wasm;
  else {
    if (!WebAssembly.validate(wasm)) return undefined;
    module = await WebAssembly.compile(wasm);
  }
  const abort = (): never => {
    throw new Error("image.wasm aborted");
  };
  const instance = await WebAssembly.instantiate(module, { env: { memory: heap.memory, abort } });
  const exports = instance.exports as unknown as ImageModule;
  if (exports.staticEnd() > HEAP_BASE)
    throw new Error("image.wasm was built for another memory layout; run npm run build");
  return exports;
}

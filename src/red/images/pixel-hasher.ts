import type { ImageCodecs, ImageSource } from "../../image/index.ts";
import { BitmapFmt, HeapLimitError, Scratch, hashPixels, rowBytes } from "../../image/index.ts";

/** Cost units of hashing a pixel in WebAssembly, and in plain TypeScript. */
const HASH_COST = 1;
const PLAIN_HASH_COST = 40;

/**
 * Tells bitmaps apart by a text: format, size, colours and a 64-bit hash of the pixels. Bitmaps with the same text look the same,
 * but for a guest that constructs a collision on purpose; it deceives the viewers of its own screen, on which it draws what it
 * likes anyway, and nobody else.
 */
export class PixelHasher {
  readonly #codecs: ImageCodecs;
  readonly #scratch: Scratch;

  constructor(codecs: ImageCodecs) {
    this.#codecs = codecs;
    this.#scratch = new Scratch(codecs.heap);
  }

  /** Cost units of a pixel. */
  get pixelCost(): number {
    return this.#codecs.accelerated ? HASH_COST : PLAIN_HASH_COST;
  }

  fingerprint(source: ImageSource): string {
    const { format, width, height, palette } = source;
    const text = `${format} ${width}x${height} ${this.#pixels(source)}`;
    if (palette === undefined) return text;
    const colors = new Uint8Array(palette.buffer, palette.byteOffset, palette.byteLength);
    return `${text} ${hashPixels(colors, 0, colors.length, colors.length, 1, palette.length, false)}`;
  }

  /** Rows from the top, so that the same picture hashes alike whichever way it lies in memory. */
  #pixels(source: ImageSource): string {
    const { format, width, height, bytes } = source;
    const length = rowBytes(format, width);
    // The fourth byte of a 32BIT pixel is never shown.
    const pad = format === BitmapFmt.Bit32;
    const from = source.topDown ? source.offset : source.offset + (height - 1) * source.stride;
    const stride = source.topDown ? source.stride : -source.stride;
    const packed = this.#pack(bytes, from, stride, length, height);
    if (packed === undefined) return hashPixels(bytes, from, stride, length, height, format, pad).join(" ");
    const { primitives } = this.#codecs;
    const low = primitives.hashRect(packed, length, length, height, format, pad);
    return `${low} ${primitives.hashUpper()}`;
  }

  /** Puts the rows into the heap: with the copy, WebAssembly is still some thirty times faster than hashing them in place. */
  #pack(bytes: Uint8Array, from: number, stride: number, length: number, height: number): number | undefined {
    const { heap, accelerated } = this.#codecs;
    if (!accelerated) return undefined;
    try {
      const pointer = this.#scratch.reserve(length * height);
      const { u8 } = heap;
      if (stride === length) u8.set(bytes.subarray(from, from + length * height), pointer);
      else {
        for (let y = 0; y < height; y++) {
          const at = from + y * stride;
          u8.set(bytes.subarray(at, at + length), pointer + y * length);
        }
      }
      return pointer;
    } catch (error) {
      if (error instanceof HeapLimitError) return undefined;
      throw error;
    }
  }
}

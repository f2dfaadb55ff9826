import { putU32 } from "../big-endian.ts";
import { ImageType, rowBytes } from "../formats.ts";
import { LZ4_CHUNK_BYTES, LZ4_HEADER_BYTES, isLz4Format, lz4WorstBytes } from "./lz4-format.ts";
import type { ImageEncoder, ImageSource } from "../source.ts";
import { isValidSource, sourceBytes } from "../source.ts";

const HASH_BITS = 13;

/** Makes one LZ4 block, greedily, with one hash table of four bytes. (assembly/lz4.ts looks further, and by pixels.) */
export class Lz4BlockEncoder {
  private readonly table = new Int32Array(1 << HASH_BITS);
  private base = 1;

  /** Compresses `bytes[0..length]` to `out[at..]`, which needs lz4WorstBytes. Returns the new end of the output. */
  encode(bytes: Uint8Array, length: number, out: Uint8Array, at: number): number {
    const { table } = this;
    if (this.base + length > 0x7fffffff) {
      table.fill(0);
      this.base = 1;
    }
    const { base } = this;
    this.base += length;
    const word = (i: number): number =>
      bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    const hash = (value: number): number => Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS);
    let pending = 0;
    let i = 1;
    let misses = 64;
    // The format's own rules: no match begins in the last 12 bytes, none reaches into the last 5.
    while (i <= length - 12) {
      const value = word(i);
      const slot = hash(value);
      let from = table[slot] - base;
      table[slot] = i + base;
      if (from < 0 || i - from > 65_535 || word(from) !== value) {
        i += misses++ >> 6;
        continue;
      }
      while (i > pending && from > 0 && bytes[i - 1] === bytes[from - 1]) {
        i--;
        from--;
      }
      let j = i + 4;
      for (let k = from + 4; j < length - 5 && bytes[j] === bytes[k]; k++) j++;
      at = putLiterals(bytes, pending, i, j - i - 4, out, at);
      out[at++] = i - from;
      out[at++] = (i - from) >> 8;
      if (j - i - 4 >= 15) at = putLength(j - i - 19, out, at);
      i = j;
      pending = i;
      misses = 64;
    }
    return putLiterals(bytes, pending, length, 0, out, at);
  }
}

function putLength(rest: number, out: Uint8Array, at: number): number {
  for (; rest >= 255; rest -= 255) out[at++] = 255;
  out[at++] = rest;
  return at;
}

/** Writes a token, literals, and no offset yet. `match` is the length field of the match that follows. */
function putLiterals(
  bytes: Uint8Array,
  start: number,
  end: number,
  match: number,
  out: Uint8Array,
  at: number,
): number {
  const count = end - start;
  out[at++] = (Math.min(count, 15) << 4) | Math.min(match, 15);
  if (count >= 15) at = putLength(count - 15, out, at);
  for (let i = start; i < end; i++) out[at++] = bytes[i];
  return at;
}

/** Writes the stream's header and the length of its one chunk at `out[at]`. */
export function writeLz4Header(out: Uint8Array, at: number, source: ImageSource, blockBytes: number): void {
  out[at] = source.topDown ? 1 : 0;
  out[at + 1] = source.format;
  putU32(out, at + LZ4_HEADER_BYTES, blockBytes);
}

/** LZ4 in plain TypeScript: the fallback. A picture is one chunk. */
export class Lz4Encoder implements ImageEncoder {
  readonly name = "lz4";
  readonly imageType = ImageType.Lz4;
  private readonly block = new Lz4BlockEncoder();
  private packed = new Uint8Array(0);
  private out = new Uint8Array(0);

  accepts(source: ImageSource): boolean {
    return isLz4Format(source.format) && isValidSource(source);
  }

  encode(source: ImageSource): Uint8Array | undefined {
    if (!this.accepts(source)) return undefined;
    const length = sourceBytes(source);
    const row = rowBytes(source.format, source.width);
    const start = LZ4_HEADER_BYTES + LZ4_CHUNK_BYTES;
    if (this.packed.length < length) this.packed = new Uint8Array(length);
    if (this.out.length < start + lz4WorstBytes(length))
      this.out = new Uint8Array(start + lz4WorstBytes(length));
    for (let y = 0; y < source.height; y++) {
      const at = source.offset + y * source.stride;
      this.packed.set(source.bytes.subarray(at, at + row), y * row);
    }
    const end = this.block.encode(this.packed, length, this.out, start);
    writeLz4Header(this.out, 0, source, end - start);
    return end < length ? this.out.subarray(0, end) : undefined;
  }
}

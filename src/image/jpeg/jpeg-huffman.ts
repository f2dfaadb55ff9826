import { ImageDecodeError } from "../error.ts";
import { JpegMarker } from "./jpeg-format.ts";

/** Codes of up to this many bits are found by one look into a table. */
const LOOKAHEAD = 9;

/** A Huffman table of T.81, C and F.2.2.3: its code words are in order of length, and within a length in order of value. */
export class JpegHuffmanTable {
  /** By the next LOOKAHEAD bits: length << 8 | symbol; 0 for longer codes. */
  readonly fast = new Uint16Array(1 << LOOKAHEAD);
  /** By length: the largest code, -1 if there is none; and what turns a code into an index of `symbols`. */
  readonly largest = new Int32Array(17).fill(-1);
  readonly first = new Int32Array(17);
  readonly symbols: Uint8Array;

  /**
   * @param counts codes of each length 1..16. @param symbols one per code.
   * @throws RangeError if there are more codes than bits can tell apart.
   */
  constructor(counts: Uint8Array, symbols: Uint8Array) {
    this.symbols = symbols;
    let code = 0;
    let index = 0;
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1];
      if (code + count > 1 << length) throw new RangeError(`too many codes of ${length} bits`);
      this.first[length] = index - code;
      if (count > 0) this.largest[length] = code + count - 1;
      for (let n = 0; n < count; n++, code++, index++) {
        if (length > LOOKAHEAD) continue;
        const spare = LOOKAHEAD - length;
        const entry = (length << 8) | symbols[index];
        this.fast.fill(entry, code << spare, (code + 1) << spare);
      }
      code <<= 1;
    }
  }
}

/** Reads the entropy-coded bits of a scan up to the next marker; what is taken beyond it is an ImageDecodeError. */
export class JpegBitReader {
  readonly bytes: Uint8Array;
  /** Next byte to read. It never passes a marker: behind the last code of a scan, the next one is sought from here. */
  at: number;
  private bits = 0;
  private count = 0;
  /** Zero bits lent beyond the marker or the end, so that looking ahead needs no care. */
  private lent = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** The symbol of the next code word. */
  symbol(table: JpegHuffmanTable): number {
    if (this.count < 16) this.fill();
    const entry = table.fast[(this.bits >>> (this.count - LOOKAHEAD)) & ((1 << LOOKAHEAD) - 1)];
    if (entry !== 0) {
      this.drop(entry >> 8);
      return entry & 255;
    }
    for (let length = LOOKAHEAD + 1; length <= 16; length++) {
      const code = (this.bits >>> (this.count - length)) & ((1 << length) - 1);
      if (code > table.largest[length]) continue;
      this.drop(length);
      return table.symbols[table.first[length] + code];
    }
    throw this.error("bits are no code word of the Huffman table");
  }

  /** A coefficient of `size` bits, 1..15: the upper half of the values is positive, the lower negative (T.81 F.1.2.1). */
  value(size: number): number {
    if (this.count < size) this.fill();
    const value = (this.bits >>> (this.count - size)) & ((1 << size) - 1);
    this.drop(size);
    return value >> (size - 1) === 0 ? value - (1 << size) + 1 : value;
  }

  /** Goes on behind restart marker number `index` (0..7), which must come next. */
  restart(index: number): void {
    this.bits = this.count = this.lent = 0;
    const { bytes } = this;
    // Fill bytes of ones may precede any marker.
    while (bytes[this.at] === 0xff && bytes[this.at + 1] === 0xff) this.at++;
    if (bytes[this.at] !== 0xff || bytes[this.at + 1] !== JpegMarker.RST0 + index)
      throw this.error(`restart marker ${index} is missing`);
    this.at += 2;
  }

  error(problem: string): ImageDecodeError {
    return new ImageDecodeError("jpeg", Math.min(this.at, this.bytes.length), problem);
  }

  private fill(): void {
    const { bytes } = this;
    while (this.count <= 23) {
      let byte = bytes[this.at];
      if (byte === undefined || (byte === 0xff && bytes[this.at + 1] !== 0)) {
        byte = 0;
        this.lent += 8;
      } else this.at += byte === 0xff ? 2 : 1;
      this.bits = (this.bits << 8) | byte;
      this.count += 8;
    }
  }

  private drop(count: number): void {
    this.count -= count;
    if (this.count < this.lent) throw this.error("ends in the middle of the image");
  }
}

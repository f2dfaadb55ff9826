import { ImageDecodeError } from "../error.ts";

/** Appends bits, most significant first, to 32-bit words that are stored little-endian. The buffer must be large enough. */
export class QuicBitWriter {
  private view: DataView = new DataView(new ArrayBuffer(0));
  private word = 0;
  private free = 32;
  /** Bytes written. */
  length = 0;

  start(buffer: Uint8Array): void {
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.word = 0;
    this.free = 32;
    this.length = 0;
  }

  /** Appends the `length` (1..31) low bits of `bits`; higher bits must be zero. */
  put(bits: number, length: number): void {
    const free = this.free - length;
    if (free >= 0) {
      this.word |= bits << free;
      this.free = free;
      return;
    }
    this.view.setUint32(this.length, this.word | (bits >>> -free), true);
    this.length += 4;
    this.free = 32 + free;
    this.word = bits << this.free;
  }

  putWord(word: number): void {
    this.put(word >>> 16, 16);
    this.put(word & 0xffff, 16);
  }

  /** Pads to a word and adds one of zeros, which decoders prefetch. */
  finish(): void {
    if (this.free > 0 && this.free < 32) this.put(0, this.free);
    this.putWord(0);
    this.put(0, 1);
  }
}

/** Reads what QuicBitWriter wrote. Bits past the end are an error, not zeros. */
export class QuicBitReader {
  private readonly view: DataView;
  private position = 0;
  private word = 0;
  private next = 0;
  /** Bits of `next` already moved into `word`. */
  private taken = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.word = this.fetch();
    this.next = this.fetch();
  }

  /** Byte offset of the word being read, for errors. */
  get offset(): number {
    return Math.max(0, this.position - 8);
  }

  /** The next 32 bits, unsigned, without consuming them. */
  peek(): number {
    return this.word >>> 0;
  }

  /** Consumes 1..31 bits. */
  skip(length: number): void {
    const left = 32 - this.taken;
    if (length < left) {
      this.word = (this.word << length) | ((this.next << this.taken) >>> (32 - length));
      this.taken += length;
      return;
    }
    const rest = length - left;
    this.word = (this.word << length) | ((this.next << this.taken) >>> (32 - length));
    this.next = this.fetch();
    if (rest > 0) this.word |= this.next >>> (32 - rest);
    this.taken = rest;
  }

  /** Consumes and returns 1..31 bits. */
  take(length: number): number {
    const bits = this.word >>> (32 - length);
    this.skip(length);
    return bits;
  }

  /** Consumes and returns 32 bits. */
  takeWord(): number {
    const high = this.take(16);
    return ((high << 16) | this.take(16)) >>> 0;
  }

  private fetch(): number {
    // A decoder looks one word ahead of the last; the reference writes one zero word for that, so only more is an error.
    if (this.position >= this.view.byteLength + 4) {
      throw new ImageDecodeError("quic", this.view.byteLength, "ends in the middle of the image");
    }
    const word = this.position + 4 <= this.view.byteLength ? this.view.getUint32(this.position, true) : 0;
    this.position += 4;
    return word;
  }
}

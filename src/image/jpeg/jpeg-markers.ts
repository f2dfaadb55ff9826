import { ImageDecodeError } from "../error.ts";
import type { JpegColorSpace } from "./jpeg-color.ts";
import { JPEG_MAX_SAMPLING, JpegMarker } from "./jpeg-format.ts";
import type { JpegComponent, JpegFrame } from "./jpeg-format.ts";
import { JpegHuffmanTable } from "./jpeg-huffman.ts";
import { JPEG_MAX_MCU_BLOCKS, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../limits.ts";

/** A component of a scan with the tables that code its blocks. */
export interface JpegScanComponent {
  readonly component: JpegComponent;
  readonly dc: JpegHuffmanTable;
  readonly ac: JpegHuffmanTable;
  readonly quant: Uint16Array;
}

/**
 * The marker segments of a JPEG stream (T.81 B): two bytes of marker, u16 length (big-endian, itself included), contents. Each is read
 * within its length, which is within the stream.
 */
export class JpegSegments {
  readonly bytes: Uint8Array;
  at = 0;
  frame: JpegFrame | undefined;
  /** MCUs between restart markers, 0 for none. */
  restartInterval = 0;
  private readonly quant: (Uint16Array | undefined)[] = [];
  /** Tables of the coefficients 0 (0..3) and of the others (4..7). */
  private readonly huffman: (JpegHuffmanTable | undefined)[] = [];
  private jfif = false;
  private adobe: number | undefined;
  /** End of the segment that is being read. */
  private end = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    if (bytes[0] !== 0xff || bytes[1] !== JpegMarker.SOI) throw this.error("does not begin with SOI");
    this.at = this.end = 2;
  }

  /** Reads segments up to the next scan, whose components it returns; undefined at the end of the image. */
  nextScan(): JpegScanComponent[] | undefined {
    for (;;) {
      const marker = this.marker();
      if (marker === JpegMarker.EOI) return undefined;
      this.open();
      if (marker === JpegMarker.SOS) {
        const scan = this.scan();
        this.close();
        return scan;
      }
      this.segment(marker);
      this.close();
    }
  }

  /** Skips what is left of a scan's bytes, up to the marker behind it. */
  skipToMarker(at: number): void {
    const { bytes } = this;
    while (at + 1 < bytes.length && (bytes[at] !== 0xff || bytes[at + 1] === 0 || bytes[at + 1] === 0xff))
      at++;
    this.at = at;
  }

  /** By the rules of libjpeg: JFIF means YCbCr, Adobe's marker tells, else the names of the components do. */
  get colorSpace(): JpegColorSpace {
    const { components = [] } = this.frame ?? {};
    if (components.length === 1) return "gray";
    if (this.jfif) return "ycbcr";
    if (this.adobe !== undefined) return this.adobe === 0 ? "rgb" : "ycbcr";
    return String.fromCharCode(...components.map(({ id }) => id)) === "RGB" ? "rgb" : "ycbcr";
  }

  error(problem: string): ImageDecodeError {
    return new ImageDecodeError("jpeg", Math.min(this.at, this.bytes.length), problem);
  }

  private segment(marker: number): void {
    const { SOF0, SOF1, SOF15, DHT, JPG, DAC, DQT, DRI, APP0, APP14, APP15, COM } = JpegMarker;
    if (marker === DQT) this.quantTables();
    else if (marker === DHT) this.huffmanTables();
    else if (marker === SOF0 || marker === SOF1) this.frameHeader();
    else if (marker === DRI) this.restartInterval = this.word();
    else if (marker === APP0) this.jfif ||= this.identifier() === "JFIF\0";
    else if (marker === APP14) this.adobeSegment();
    else if (marker > SOF1 && marker <= SOF15 && marker !== JPG && marker !== DAC)
      throw this.error(
        `coding process SOF${marker - SOF0} (progressive, lossless or arithmetic) is not decoded`,
      );
    else if (marker !== COM && (marker < APP0 || marker > APP15))
      throw this.error(`marker 0x${marker.toString(16)} has no place here`);
  }

  private marker(): number {
    const { bytes } = this;
    if (bytes[this.at] !== 0xff) throw this.error("no marker where one must be");
    while (bytes[this.at] === 0xff) this.at++;
    if (this.at >= bytes.length) throw this.error("ends without EOI");
    return bytes[this.at++];
  }

  private open(): void {
    this.end = Math.min(this.at + 2, this.bytes.length);
    const start = this.at;
    const length = this.word();
    if (length < 2 || start + length > this.bytes.length)
      throw this.error(`segment of ${length} bytes passes the end`);
    this.end = start + length;
  }

  private close(): void {
    this.at = this.end;
  }

  private byte(): number {
    if (this.at >= this.end) throw this.error("ends in the middle of a segment");
    return this.bytes[this.at++];
  }

  private word(): number {
    return (this.byte() << 8) | this.byte();
  }

  private identifier(): string {
    return String.fromCharCode(...this.bytes.subarray(this.at, Math.min(this.at + 5, this.end)));
  }

  /** "Adobe", version, two words of flags, and the transform: 0 for RGB, 1 for YCbCr. */
  private adobeSegment(): void {
    if (this.identifier() === "Adobe" && this.end - this.at >= 12) this.adobe = this.bytes[this.at + 11];
  }

  private quantTables(): void {
    while (this.at < this.end) {
      const info = this.byte();
      if (info >> 4 > 1 || (info & 15) > 3) throw this.error(`quantisation table 0x${info.toString(16)}`);
      const table = new Uint16Array(64);
      for (let k = 0; k < 64; k++) table[k] = info >> 4 === 0 ? this.byte() : this.word();
      this.quant[info & 15] = table;
    }
  }

  private huffmanTables(): void {
    while (this.at < this.end) {
      const info = this.byte();
      if (info >> 4 > 1 || (info & 15) > 3) throw this.error(`Huffman table 0x${info.toString(16)}`);
      const counts = new Uint8Array(16).map(() => this.byte());
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (total > 256) throw this.error(`Huffman table of ${total} codes`);
      const symbols = new Uint8Array(total).map(() => this.byte());
      // The symbol of a coefficient 0 is the size of its difference.
      if (info >> 4 === 0 && symbols.some((symbol) => symbol > 15))
        throw this.error("Huffman table has a difference of more than 15 bits");
      try {
        this.huffman[(info >> 4) * 4 + (info & 15)] = new JpegHuffmanTable(counts, symbols);
      } catch (error) {
        if (error instanceof RangeError) throw this.error(`Huffman table with ${error.message}`);
        throw error;
      }
    }
  }

  /** Precision, u16 height, u16 width, count; and per component: name, sampling factors, quantisation table. */
  private frameHeader(): void {
    if (this.frame !== undefined) throw this.error("has a second frame");
    const precision = this.byte();
    if (precision !== 8) throw this.error(`${precision} bits per sample are not decoded`);
    const [height, width, count] = [this.word(), this.word(), this.byte()];
    if (width < 1 || height < 1 || width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE)
      throw this.error(`size ${width}x${height} is empty or too large`);
    if (width * height > MAX_IMAGE_PIXELS) throw this.error(`size ${width}x${height} is too large`);
    if (count !== 1 && count !== 3) throw this.error(`${count} components are neither gray nor colour`);
    const heads = Array.from({ length: count }, () => {
      const [id, sampling, quantTable] = [this.byte(), this.byte(), this.byte()];
      return { id, h: sampling >> 4, v: sampling & 15, quantTable };
    });
    const maxH = Math.max(...heads.map(({ h }) => h));
    const maxV = Math.max(...heads.map(({ v }) => v));
    for (const { h, v } of heads) {
      if (h < 1 || v < 1 || maxH > JPEG_MAX_SAMPLING || maxV > JPEG_MAX_SAMPLING || maxH % h || maxV % v)
        throw this.error(`sampling factors ${h}x${v} of ${maxH}x${maxV} are not decoded`);
    }
    const mcuColumns = Math.ceil(width / (8 * maxH));
    const mcuRows = Math.ceil(height / (8 * maxV));
    const components = heads.map((head) => {
      const columns = Math.ceil((width * head.h) / maxH);
      const rows = Math.ceil((height * head.v) / maxV);
      const stride = mcuColumns * head.h * 8;
      return {
        ...head,
        width: columns,
        height: rows,
        blockColumns: Math.ceil(columns / 8),
        blockRows: Math.ceil(rows / 8),
        stride,
        planeBytes: stride * mcuRows * head.v * 8,
        plane: new Uint8Array(0),
        dc: 0,
        decoded: false,
      };
    });
    // A block is two code words, of one bit at least: a short stream allocates little.
    const blocks = components.reduce((sum, { blockColumns, blockRows }) => sum + blockColumns * blockRows, 0);
    if (blocks > this.bytes.length * 4)
      throw this.error(`size ${width}x${height} is beyond ${this.bytes.length} bytes`);
    this.frame = { width, height, maxH, maxV, mcuColumns, mcuRows, components };
  }

  /** Count; per component its name and tables; then three bytes that only progressive streams vary. */
  private scan(): JpegScanComponent[] {
    const { frame } = this;
    if (frame === undefined) throw this.error("scan before the frame's header");
    const count = this.byte();
    const scan: JpegScanComponent[] = [];
    if (count < 1 || count > frame.components.length) throw this.error(`scan of ${count} components`);
    for (let n = 0; n < count; n++) {
      const [id, tables] = [this.byte(), this.byte()];
      const component = frame.components.find(
        (one) => one.id === id && !scan.some((s) => s.component === one),
      );
      if (component === undefined || component.decoded)
        throw this.error(`scan of component ${id}, which is unknown or was there before`);
      const dc = this.huffman[tables >> 4];
      const ac = this.huffman[4 + (tables & 15)];
      const quant = this.quant[component.quantTable];
      if (tables >> 4 > 3 || dc === undefined || ac === undefined || quant === undefined)
        throw this.error(`scan of component ${id}, whose tables are missing`);
      scan.push({ component, dc, ac, quant });
    }
    if (this.byte() !== 0 || this.byte() !== 63 || this.byte() !== 0)
      throw this.error("scan of a part of the coefficients");
    const blocks = scan.reduce((sum, { component: { h, v } }) => sum + h * v, 0);
    if (count > 1 && blocks > JPEG_MAX_MCU_BLOCKS) throw this.error(`MCU of ${blocks} blocks`);
    return scan;
  }
}

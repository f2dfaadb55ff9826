import { BitmapFmt, ImageType } from "../formats.ts";
import { colorRow } from "./jpeg-color.ts";
import { JPEG_ZIGZAG } from "./jpeg-format.ts";
import type { JpegFrame } from "./jpeg-format.ts";
import { JpegBitReader } from "./jpeg-huffman.ts";
import { inverseDct, inverseDctFlat } from "./jpeg-idct.ts";
import { JpegSegments } from "./jpeg-markers.ts";
import type { JpegScanComponent } from "./jpeg-markers.ts";
import { upsampleRow } from "./jpeg-upsample.ts";
import type { DecodeHints, DecodedImage, ImageDecoder } from "../source.ts";
import { outputBuffer } from "../source.ts";

/** Decodes the blocks of scans to the planes of their components. */
class ScanDecoder {
  private readonly coefficients = new Int32Array(64);

  /** Returns the byte behind the last code word. */
  decode(segments: JpegSegments, frame: JpegFrame, scan: readonly JpegScanComponent[]): number {
    const bits = new JpegBitReader(segments.bytes, segments.at);
    // A scan of one component has blocks for MCUs, and none beyond the picture's edge.
    const alone = scan.length === 1 ? scan[0].component : undefined;
    const columns = alone?.blockColumns ?? frame.mcuColumns;
    const count = columns * (alone?.blockRows ?? frame.mcuRows);
    let left = segments.restartInterval;
    let restarts = 0;
    for (const { component } of scan) component.dc = 0;
    for (let mcu = 0; mcu < count; mcu++) {
      if (segments.restartInterval > 0 && left === 0) {
        bits.restart(restarts++ & 7);
        left = segments.restartInterval;
        for (const { component } of scan) component.dc = 0;
      }
      left--;
      const row = Math.floor(mcu / columns);
      const column = mcu - row * columns;
      for (const part of scan) {
        const { h, v, stride } = part.component;
        if (alone !== undefined) {
          this.block(bits, part, 8 * (row * stride + column));
          continue;
        }
        for (let y = 0; y < v; y++) {
          for (let x = 0; x < h; x++) this.block(bits, part, 8 * ((row * v + y) * stride + column * h + x));
        }
      }
    }
    for (const { component } of scan) component.decoded = true;
    return bits.at;
  }

  /** One block (T.81 F.2.2) to the plane at `at`. */
  private block(bits: JpegBitReader, { component, dc, ac, quant }: JpegScanComponent, at: number): void {
    const { coefficients } = this;
    const size = bits.symbol(dc);
    if (size > 0) component.dc = (component.dc + bits.value(size)) | 0;
    const first = Math.imul(component.dc, quant[0]);
    let flat = true;
    for (let k = 1; k < 64; k++) {
      const symbol = bits.symbol(ac);
      const bitsOfValue = symbol & 15;
      const run = symbol >> 4;
      if (bitsOfValue === 0) {
        // 15 zeros and one more; or the end of the block.
        if (run !== 15) break;
        k += 15;
        continue;
      }
      k += run;
      if (k > 63) throw bits.error("coefficients pass the end of their block");
      if (flat) coefficients.fill(0);
      flat = false;
      coefficients[JPEG_ZIGZAG[k]] = Math.imul(bits.value(bitsOfValue), quant[k]);
    }
    if (flat) return inverseDctFlat(first, component.plane, at, component.stride);
    coefficients[0] = first;
    inverseDct(coefficients, component.plane, at, component.stride);
  }
}

/**
 * Decodes baseline and extended sequential JPEG of 8 bits, gray or colour, in any sampling whose factors divide each other, to a
 * top-down 32BIT bitmap (pad 0): the pixels that libjpeg-turbo makes by default. What belongs to the stream (ITU T.81, JFIF 1.02)
 * and is not sequential Huffman coding is an ImageDecodeError.
 */
export class JpegDecoder implements ImageDecoder {
  readonly name = "jpeg";
  readonly imageTypes = [ImageType.Jpeg];
  private readonly scans = new ScanDecoder();
  /** Memory of planes and rows, kept from image to image. */
  private readonly planes = [new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)];
  private readonly rows = [new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)];

  decode(bytes: Uint8Array, hints?: DecodeHints): DecodedImage {
    const segments = new JpegSegments(bytes);
    let planned: JpegFrame | undefined;
    for (let scan = segments.nextScan(); scan !== undefined; scan = segments.nextScan()) {
      const { frame } = segments;
      if (frame === undefined) throw segments.error("scan before the frame's header");
      if (planned !== frame) this.givePlanes(frame);
      planned = frame;
      segments.skipToMarker(this.scans.decode(segments, frame, scan));
    }
    const { frame } = segments;
    if (frame === undefined) throw segments.error("ends before the frame's header");
    const missing = frame.components.find(({ decoded }) => !decoded);
    if (missing !== undefined) throw segments.error(`ends before component ${missing.id}`);
    const { width, height } = frame;
    const out = outputBuffer(width * height * 4, hints?.into);
    this.paint(frame, segments, out);
    return {
      imageType: ImageType.Jpeg,
      format: BitmapFmt.Bit32,
      width,
      height,
      stride: width * 4,
      offset: 0,
      bytes: out,
      topDown: true,
    };
  }

  private givePlanes(frame: JpegFrame): void {
    for (const [index, component] of frame.components.entries()) {
      if (this.planes[index].length < component.planeBytes)
        this.planes[index] = new Uint8Array(component.planeBytes);
      component.plane = this.planes[index];
    }
  }

  private paint(frame: JpegFrame, { colorSpace }: JpegSegments, out: Uint8Array): void {
    const { width, height, components } = frame;
    const rows = this.rows.slice(0, components.length);
    for (const [index, row] of rows.entries()) {
      // A sample repeated four times may stand a little over the edge.
      if (row.length < width + 8) rows[index] = this.rows[index] = new Uint8Array(width + 8);
    }
    for (let y = 0; y < height; y++) {
      for (const [index, component] of components.entries()) upsampleRow(frame, component, y, rows[index]);
      colorRow(colorSpace, rows, width, out, y * width * 4);
    }
  }
}

import { ImageDecodeError } from "../error.ts";
import { ImageType, rowBytes } from "../formats.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../limits.ts";
import { LZ4_HEADER_BYTES, isLz4Format } from "./lz4-format.ts";
import type { DecodeHints, DecodedImage, ImageDecoder } from "../source.ts";
import { outputBuffer } from "../source.ts";

/**
 * Decodes one LZ4 block `bytes[at..end]` to `out[to..]`. Matches may reach back to the start of `out`: the chunks before are the
 * dictionary. Returns the new end of the output.
 */
export function decodeLz4Block(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  to: number,
): number {
  const fail = (problem: string): ImageDecodeError => new ImageDecodeError("lz4", at, problem);
  const extend = (length: number): number => {
    for (;;) {
      if (at >= end) throw fail("ends in the middle of a length");
      const more = bytes[at++];
      length += more;
      if (more !== 255) return length;
      if (length > out.length) throw fail("length is beyond the image");
    }
  };
  while (at < end) {
    const token = bytes[at++];
    const literals = token >> 4 === 15 ? extend(15) : token >> 4;
    if (at + literals > end) throw fail(`${literals} literals pass the end of the block`);
    if (to + literals > out.length) throw fail("pixels pass the end of the image");
    out.set(bytes.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === end) return to;
    if (at + 2 > end) throw fail("ends in the middle of an offset");
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    const length = 4 + ((token & 15) === 15 ? extend(15) : token & 15);
    if (distance === 0 || distance > to) throw fail(`match of distance ${distance} begins before the image`);
    if (to + length > out.length) throw fail("pixels pass the end of the image");
    if (distance >= length) out.copyWithin(to, to - distance, to - distance + length);
    else for (let k = 0; k < length; k++) out[to + k] = out[to + k - distance];
    to += length;
  }
  throw fail("a block ends without literals");
}

/** Decodes SPICE's LZ4. The hints must tell the size, which is in the SpiceImage's descriptor and not in the stream. */
export class Lz4Decoder implements ImageDecoder {
  readonly name = "lz4";
  readonly imageTypes = [ImageType.Lz4];

  decode(bytes: Uint8Array, hints: DecodeHints = {}): DecodedImage {
    const { width = 0, height = 0, into } = hints;
    if (bytes.length < LZ4_HEADER_BYTES)
      throw new ImageDecodeError("lz4", bytes.length, "shorter than its header of 2 bytes");
    const format = bytes[1];
    if (!isLz4Format(format))
      throw new ImageDecodeError("lz4", 1, `bitmap format ${format} is not one of RGB`);
    if (
      width < 1 ||
      height < 1 ||
      width > MAX_IMAGE_SIDE ||
      height > MAX_IMAGE_SIDE ||
      width * height > MAX_IMAGE_PIXELS
    ) {
      throw new ImageDecodeError("lz4", 0, `size ${width}x${height} is empty or too large`);
    }
    const stride = rowBytes(format, width);
    if (stride * height > bytes.length * 256)
      throw new ImageDecodeError("lz4", 0, `size ${width}x${height} is beyond ${bytes.length} bytes`);
    const out = outputBuffer(stride * height, into);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = LZ4_HEADER_BYTES;
    let to = 0;
    while (to < out.length) {
      if (at + 4 > bytes.length) throw new ImageDecodeError("lz4", at, "ends in the middle of the image");
      const length = view.getUint32(at);
      at += 4;
      if (length === 0 || length > bytes.length - at)
        throw new ImageDecodeError("lz4", at - 4, `chunk of ${length} bytes passes the end`);
      to = decodeLz4Block(bytes, at, at + length, out, to);
      at += length;
    }
    return {
      imageType: ImageType.Lz4,
      format,
      width,
      height,
      stride,
      offset: 0,
      bytes: out,
      topDown: bytes[0] !== 0,
    };
  }
}

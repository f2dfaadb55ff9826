import { BitmapFmt } from "./formats.ts";
import type { ImageSource } from "./source.ts";

/** How photo-like an image is. HIGH: QUIC does best; LOW and MEDIUM: flat colours and text, the LZ family does. */
export type Graduality = "not available" | "low" | "medium" | "high";

/** Pixels between two samples of a row. */
const SAMPLE_JUMP = 15;

/** Smallest difference of a colour channel that counts as an edge. */
const CONTRAST_8_BIT = 60;
const CONTRAST_5_BIT = 8;

/**
 * Scores 2 x 2 blocks spread over the image: equal neighbours and hard edges speak for drawing, small differences for a
 * photograph. Weights and thresholds are those of spice-server's bitmap_get_graduality_level, so that both choose alike.
 */
export function gradualityOf(source: ImageSource): Graduality {
  const read = pixelReader(source);
  if (read === undefined) return "not available";
  const { width, height } = source;
  if (width < 2 || height < 2) return "low";
  const contrast = source.format === BitmapFmt.Bit16 ? CONTRAST_5_BIT : CONTRAST_8_BIT;
  const jump = width % SAMPLE_JUMP === 0 ? SAMPLE_JUMP - 1 : SAMPLE_JUMP;
  let score = 0;
  let samples = 0;
  let x = 0;
  for (let y = Math.min(1, height - 2); y < height - 1; y++) {
    for (; x < width - 1; x += jump) {
      score += blockScore(read, x, y, contrast);
      samples++;
    }
    x = Math.max(0, x - width);
  }
  if (samples === 0) return "low";
  const mean = score / samples;
  if (mean < (source.format === BitmapFmt.Bit16 ? 0 : -0.03)) return "high";
  return mean < 0.002 ? "medium" : "low";
}

type PixelReader = (x: number, y: number) => number;

/** Score of the block at (x, y): 0 if all four pixels are equal, else the mean over the three neighbours of the first. */
function blockScore(read: PixelReader, x: number, y: number, contrast: number): number {
  const first = read(x, y);
  const others = [read(x + 1, y), read(x, y + 1), read(x + 1, y + 1)];
  if (others.every((pixel) => pixel === first)) return 0;
  let score = 0;
  for (const pixel of others) score += pairScore(first, pixel, contrast);
  return score / 3;
}

function pairScore(a: number, b: number, contrast: number): number {
  if (a === b) return 0.5;
  for (let shift = 0; shift < 24; shift += 8) {
    if (Math.abs(((a >> shift) & 0xff) - ((b >> shift) & 0xff)) >= contrast) return 1;
  }
  return -0.25;
}

/** Reads 0x00RRGGBB (five bits a channel for RGB16); undefined for formats without graduality. */
function pixelReader(source: ImageSource): PixelReader | undefined {
  const { bytes, offset, stride } = source;
  switch (source.format) {
    case BitmapFmt.Bit16:
      return (x, y) => {
        const at = offset + y * stride + 2 * x;
        const pixel = bytes[at] | (bytes[at + 1] << 8);
        return ((pixel & 0x7c00) << 6) | ((pixel & 0x3e0) << 3) | (pixel & 0x1f);
      };
    case BitmapFmt.Bit24:
      return (x, y) => read24(bytes, offset + y * stride + 3 * x);
    case BitmapFmt.Bit32:
    case BitmapFmt.Rgba:
      return (x, y) => read24(bytes, offset + y * stride + 4 * x);
    default:
      return undefined;
  }
}

function read24(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
}

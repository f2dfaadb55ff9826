// Bitmaps of every SpiceBitmapFmt to 32-bit pixels: B, G, R, and 0; RGBA keeps its alpha, 8BIT_A becomes alpha over black.
import { UNPACK_RGB24, UNPACK_RGB32, unpackRow } from "./units";

/** Five bits to eight: the upper bits again at the bottom. */
function expand555(from: usize, width: i32, to: usize): void {
  for (let x = 0; x < width; x++, from += 2, to += 4) {
    const p: u32 = load<u16>(from);
    const spread = ((p & 0x7c00) << 9) | ((p & 0x3e0) << 6) | ((p & 0x1f) << 3);
    store<u32>(to, spread | ((spread >> 5) & 0x070707));
  }
}

function expandPalette(bits: i32, msbFirst: bool, from: usize, width: i32, to: usize, palette: usize): void {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (let x = 0; x < width; x++, to += 4) {
    const within = x % perByte;
    const shift = (msbFirst ? perByte - 1 - within : within) * bits;
    const index = (<i32>load<u8>(from + x / perByte) >> shift) & mask;
    store<u32>(to, load<u32>(palette + (<usize>index << 2)));
  }
}

/**
 * Converts `height` rows of `width` pixels of SpiceBitmapFmt `format` to 32 bits. `palette` points at as many u32 colours as the
 * format has indices. The rows must not overlap.
 */
export function convertRect(
  format: i32,
  from: usize,
  fromStride: i32,
  width: i32,
  height: i32,
  to: usize,
  toStride: i32,
  palette: usize,
): void {
  for (let y = 0; y < height; y++, from += fromStride, to += toStride) {
    switch (format) {
      case 1:
      case 2:
        expandPalette(1, format === 2, from, width, to, palette);
        break;
      case 3:
      case 4:
        expandPalette(4, format === 4, from, width, to, palette);
        break;
      case 5:
        expandPalette(8, false, from, width, to, palette);
        break;
      case 6:
        expand555(from, width, to);
        break;
      case 7:
      case 8: {
        // Whole vectors only, so that nothing beside the row is touched; the rest pixel by pixel.
        const whole = width & ~3;
        const step = format === 7 ? 3 : 4;
        unpackRow(format === 7 ? UNPACK_RGB24 : UNPACK_RGB32, from, whole, to);
        for (let x = whole; x < width; x++) {
          const p = from + x * step;
          store<u32>(to + (<usize>x << 2), <u32>load<u16>(p) | (<u32>load<u8>(p, 2) << 16));
        }
        break;
      }
      case 9:
        memory.copy(to, from, width << 2);
        break;
      case 10:
        for (let x = 0; x < width; x++) store<u32>(to + (<usize>x << 2), <u32>load<u8>(from + x) << 24);
        break;
    }
  }
}

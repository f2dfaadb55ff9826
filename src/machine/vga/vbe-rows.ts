/** Pixels of the Bochs VBE frame buffer, which with QXL as the VGA function is the start of BAR0. */
import type { RowReader } from "./screen-frame.ts";

/** A VBE mode: `offset` in pixels to the first shown one, lines are `width` pixels apart. */
export interface VbeMode {
  readonly width: number;
  readonly height: number;
  /** 8 (palette), 15, 16, 24 or 32. */
  readonly bpp: number;
  readonly offset: number;
}

/** Bytes of a pixel, or 0 for a depth that VBE does not have. */
export const vbeBytesPerPixel = (bpp: number): number => {
  if (bpp === 15) return 2;
  return bpp === 8 || bpp === 16 || bpp === 24 || bpp === 32 ? bpp / 8 : 0;
};

const expand5 = (value: number) => (value << 3) | (value >> 2);
const expand6 = (value: number) => (value << 2) | (value >> 4);

const rgb555 = (pixel: number) =>
  (expand5((pixel >> 10) & 31) << 16) | (expand5((pixel >> 5) & 31) << 8) | expand5(pixel & 31);
const rgb565 = (pixel: number) =>
  (expand5((pixel >> 11) & 31) << 16) | (expand6((pixel >> 5) & 63) << 8) | expand5(pixel & 31);

/** Reads one pixel at byte `at` as 0x00RRGGBB. */
const pixelReader = (memory: Uint8Array, bpp: number, palette: Int32Array): ((at: number) => number) => {
  switch (bpp) {
    case 8:
      return (at) => palette[memory[at]] & 0xffffff;
    case 15:
      return (at) => rgb555(memory[at] | (memory[at + 1] << 8));
    case 16:
      return (at) => rgb565(memory[at] | (memory[at + 1] << 8));
    default:
      return (at) => memory[at] | (memory[at + 1] << 8) | (memory[at + 2] << 16);
  }
};

/**
 * Lines of `mode` out of `memory` (BAR0). Lines that do not lie wholly inside are black. `palette` holds 256 entries
 * 0x00RRGGBB.
 */
export const vbeRows = (memory: Uint8Array, mode: VbeMode, palette: Int32Array): RowReader => {
  const size = vbeBytesPerPixel(mode.bpp);
  const aligned = memory.byteOffset % 4 === 0;
  const words = aligned ? new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2) : undefined;
  const pixelAt = pixelReader(memory, mode.bpp, palette);
  return (y, row) => {
    const first = mode.offset + y * mode.width;
    if (size === 0 || (first + mode.width) * size > memory.length) {
      row.fill(0);
    } else if (size === 4 && words) {
      for (let x = 0; x < mode.width; x++) row[x] = words[first + x] & 0xffffff;
    } else {
      for (let x = 0, at = first * size; x < mode.width; x++, at += size) row[x] = pixelAt(at);
    }
  };
};

/** One entry of the ROM's mode list (QXLMode); only SET_MODE of old drivers and the VGA BIOS use it. */
export interface QxlMode {
  readonly width: number;
  readonly height: number;
  /** 16 (555) or 32. */
  readonly bits: number;
  /** Bytes. */
  readonly stride: number;
  /** 0 or 1, as QEMU lists them: rotations an old driver may offer. */
  readonly orientation: number;
}

const SIZES: readonly (readonly [number, number])[] = [
  [640, 480],
  [800, 480],
  [800, 600],
  [832, 624],
  [960, 640],
  [1024, 600],
  [1024, 768],
  [1152, 864],
  [1152, 870],
  [1280, 720],
  [1280, 760],
  [1280, 768],
  [1280, 800],
  [1280, 960],
  [1280, 1024],
  [1360, 768],
  [1366, 768],
  [1400, 1050],
  [1440, 900],
  [1600, 900],
  [1600, 1200],
  [1680, 1050],
  [1920, 1080],
  [1920, 1200],
  [1920, 1440],
  [2048, 1536],
  [2560, 1440],
  [2560, 1600],
];

/** Pixel pitch in millimetres that QEMU assumes. */
const PIXEL_MILLIMETRES = 0.293_687_5;

/** The modes whose pixels fit the draw area. */
export function qxlModes(vgamemSize: number): QxlMode[] {
  return SIZES.flatMap(([width, height]) =>
    [0, 1].flatMap((orientation) =>
      [16, 32].map((bits) => ({ width, height, bits, stride: (width * bits) / 8, orientation })),
    ),
  ).filter(({ stride, height }) => stride * height <= vgamemSize);
}

/** Width or height of the screen in millimetres. */
export function millimetres(pixels: number): number {
  return Math.trunc(pixels * PIXEL_MILLIMETRES);
}

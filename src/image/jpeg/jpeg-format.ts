/** Second byte of the markers of T.81 that a sequential stream may hold. */
export const JpegMarker = {
  SOF0: 0xc0,
  SOF1: 0xc1,
  SOF2: 0xc2,
  DHT: 0xc4,
  JPG: 0xc8,
  DAC: 0xcc,
  SOF15: 0xcf,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DNL: 0xdc,
  DRI: 0xdd,
  APP0: 0xe0,
  APP14: 0xee,
  APP15: 0xef,
  COM: 0xfe,
} as const;

/** Row-major place of the k-th coefficient of a block as the stream has them. */
export const JPEG_ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
]);

/** Largest sampling factor of a component, and most components of a scan (T.81 B.2). */
export const JPEG_MAX_SAMPLING = 4;

/** One component of a frame: its sampling, its tables, and the plane of samples that its blocks are decoded to. */
export interface JpegComponent {
  readonly id: number;
  /** Horizontal and vertical sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantTable: number;
  /** Size in samples that belong to the picture: what is beyond fills the last blocks up. */
  readonly width: number;
  readonly height: number;
  /** Size of a scan of this component alone, in blocks. */
  readonly blockColumns: number;
  readonly blockRows: number;
  /** Samples of a row of the plane: whole MCUs. */
  readonly stride: number;
  readonly planeBytes: number;
  /** The samples, rows of `stride`. */
  plane: Uint8Array;
  /** Coefficient 0 of the last block, which the next one's is relative to. */
  dc: number;
  /** Whether a scan has filled the plane. */
  decoded: boolean;
}

/** A frame header (SOF0 or SOF1). */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  /** Largest sampling factors: an MCU is 8 * maxH by 8 * maxV pixels. */
  readonly maxH: number;
  readonly maxV: number;
  /** MCUs of an interleaved scan. */
  readonly mcuColumns: number;
  readonly mcuRows: number;
  readonly components: readonly JpegComponent[];
}

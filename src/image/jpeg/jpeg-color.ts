/** Fractions of 16 bits, rounded: the conversion of JFIF with the tables of libjpeg, so that pixels are equal to its. */
const HALF = 1 << 15;
const redOfCr = new Int32Array(256);
const greenOfCr = new Int32Array(256);
const greenOfCb = new Int32Array(256);
const blueOfCb = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  const x = i - 128;
  redOfCr[i] = (91881 * x + HALF) >> 16; // 1.402
  blueOfCb[i] = (116130 * x + HALF) >> 16; // 1.772
  greenOfCr[i] = -46802 * x; // 0.71414
  greenOfCb[i] = -22554 * x + HALF; // 0.34414
}

/** How the components of a frame are to be read. */
export type JpegColorSpace = "gray" | "ycbcr" | "rgb";

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Writes `width` pixels B, G, R, 0 at `out[at]` from a row of each component. */
export function colorRow(
  space: JpegColorSpace,
  rows: readonly Uint8Array[],
  width: number,
  out: Uint8Array,
  at: number,
): void {
  const [first] = rows;
  const second = rows[1] ?? first;
  const third = rows[2] ?? first;
  if (space === "ycbcr") {
    for (let x = 0; x < width; x++, at += 4) {
      const y = first[x];
      const cb = second[x];
      const cr = third[x];
      out[at] = clamp(y + blueOfCb[cb]);
      out[at + 1] = clamp(y + ((greenOfCb[cb] + greenOfCr[cr]) >> 16));
      out[at + 2] = clamp(y + redOfCr[cr]);
      out[at + 3] = 0;
    }
    return;
  }
  // R, G, B, or one component that is all three.
  for (let x = 0; x < width; x++, at += 4) {
    out[at] = third[x];
    out[at + 1] = second[x];
    out[at + 2] = first[x];
    out[at + 3] = 0;
  }
}

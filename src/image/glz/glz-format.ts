/**
 * GLZ header, big-endian: magic and version as LZ, u8 = LZ type | top_down << 4, u32 width, height, stride, u64 image id,
 * u32 win_head_dist.
 */
export const GLZ_HEADER_BYTES = 33;

/** Pixel fields of a match below this take 12 bits; below the next, 17; else 25. */
export const GLZ_SHORT = 1 << 12;
export const GLZ_MEDIUM = 1 << 17;

/** Bytes of a match to `back` images back (0: this one) and pixel field `far`, without the bytes that extend its length. */
export function glzReferenceBytes(back: number, far: number): number {
  if (far < GLZ_SHORT) return back < 1 << 6 ? 3 : back < 1 << 14 ? 4 : back < 1 << 22 ? 5 : 6;
  const long = far < GLZ_MEDIUM ? 0 : 1;
  return (back === 0 ? 3 : back < 1 << 8 ? 4 : back < 1 << 16 ? 5 : 6) + long;
}

/**
 * Writes a match. `biased` = length less the bias (>= 1); `far` = distance - 1 within this image (back = 0), or the offset of the
 * unit from the start of the image `back` images ago. Returns the new end of the output.
 *
 * Control byte: length (3 bits, 7 = more bytes follow), 1 if far >= 4096, four low bits of far; then eight more bits of far. Then,
 * for short ones, two bits saying how many more bytes, six bits of back, and the rest of back. For others: the same two bits, a bit
 * for far >= 2^17, five bits of far, back, and eight bits of far.
 */
export function emitGlzMatch(biased: number, back: number, far: number, out: Uint8Array, at: number): number {
  const short = far < GLZ_SHORT;
  const low = (far & 15) | (short ? 0 : 16);
  out[at++] = (Math.min(biased, 7) << 5) | low;
  if (biased >= 7) {
    let rest = biased - 7;
    for (; rest >= 255; rest -= 255) out[at++] = 255;
    out[at++] = rest;
  }
  out[at++] = far >> 4;
  const fixed = glzReferenceBytes(0, far);
  const more = glzReferenceBytes(back, far) - fixed;
  if (short) {
    out[at++] = (more << 6) | (back & 63);
    for (let k = 0, rest = back >>> 6; k < more; k++, rest >>>= 8) out[at++] = rest;
    return at;
  }
  const long = far >= GLZ_MEDIUM;
  out[at++] = (more << 6) | (long ? 32 : 0) | ((far >> 12) & 31);
  for (let k = 0, rest = back; k < more; k++, rest >>>= 8) out[at++] = rest;
  if (long) out[at++] = far >> 17;
  return at;
}

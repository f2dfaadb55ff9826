import { LZ_MAX_LITERALS, LZ_NEAR } from "./lz-format.ts";

/** Writes units start..end as literals, 32 to a control byte. Returns the new end of the output. */
export function emitLiterals(
  units: Uint32Array,
  start: number,
  end: number,
  literal: number,
  out: Uint8Array,
  at: number,
): number {
  for (let from = start; from < end; from += LZ_MAX_LITERALS) {
    const to = Math.min(end, from + LZ_MAX_LITERALS);
    out[at++] = to - from - 1;
    for (let i = from; i < to; i++) {
      const unit = units[i];
      if (literal === 2) out[at++] = unit >> 8;
      out[at++] = unit;
      if (literal === 3) {
        out[at++] = unit >> 8;
        out[at++] = unit >> 16;
      }
    }
  }
  return at;
}

/** Writes the bytes that extend a length field of 7. */
function emitLength(rest: number, out: Uint8Array, at: number): number {
  while (rest >= 255) {
    out[at++] = 255;
    rest -= 255;
  }
  out[at++] = rest;
  return at;
}

/**
 * Writes an LZ match: `biased` = length less the bias (>= 1), `far` = distance - 1. The control byte holds three bits of length
 * and five of distance; a low byte of 255 under five ones announces two more bytes for a distance of 8191 and up.
 */
export function emitLzMatch(biased: number, far: number, out: Uint8Array, at: number): number {
  const near = far < LZ_NEAR;
  const high = near ? far >> 8 : 31;
  if (biased < 7) out[at++] = (biased << 5) | high;
  else {
    out[at++] = (7 << 5) | high;
    at = emitLength(biased - 7, out, at);
  }
  if (near) out[at++] = far;
  else {
    out[at++] = 255;
    out[at++] = (far - LZ_NEAR) >> 8;
    out[at++] = far - LZ_NEAR;
  }
  return at;
}

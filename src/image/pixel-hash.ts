const PRIME1 = 0x9e3779b1 | 0;
const PRIME2 = 0x85ebca77 | 0;

function round(state: number, data: number): number {
  const sum = (state + Math.imul(data, PRIME2)) | 0;
  return Math.imul((sum << 13) | (sum >>> 19), PRIME1);
}

function mix(a: number, b: number): number {
  let h = ((a ^ Math.imul(b, 0xc2b2ae3d)) + (b >>> 15)) | 0;
  h = Math.imul((h << 17) | (h >>> 15), 0x27d4eb2f);
  return h ^ (h >>> 15);
}

/**
 * A 64-bit hash of rows of pixels, as two signed halves [low, high]: the same values as assembly/hash.ts. It finds images that are
 * probably equal; it withstands no adversary, so a hit must be confirmed where a guest could gain by a collision.
 * @param length bytes of a row. @param seed should hold the width and the format. @param pad every fourth byte counts as 0.
 */
export function hashPixels(
  bytes: Uint8Array,
  from: number,
  stride: number,
  length: number,
  height: number,
  seed: number,
  pad: boolean,
): [number, number] {
  const mask = pad ? 0x00ffffff : -1;
  // Sixteen lanes in four groups a, b, c, d, as the vectors of the WebAssembly version.
  const lanes = new Int32Array(16);
  lanes
    .fill(seed + PRIME1, 0, 4)
    .fill(seed ^ PRIME2, 4, 8)
    .fill(seed, 8, 12)
    .fill(seed - PRIME1, 12, 16);
  const word = (at: number, end: number): number => {
    let value = 0;
    for (let k = 0; k < 4 && at + k < end; k++) value |= bytes[at + k] << (8 * k);
    return value & mask;
  };
  for (let y = 0; y < height; y++, from += stride) {
    const end = from + length;
    let p = from;
    for (; p + 64 <= end; p += 64)
      for (let k = 0; k < 16; k++) lanes[k] = round(lanes[k], word(p + 4 * k, end));
    for (; p + 16 <= end; p += 16) {
      for (let k = 0; k < 4; k++) {
        const a = lanes[k];
        lanes[k] = round(lanes[4 + k], word(p + 4 * k, end));
        lanes[4 + k] = a;
      }
    }
    if (p < end) for (let k = 0; k < 4; k++) lanes[8 + k] = round(lanes[8 + k], word(p + 4 * k, end));
  }
  let low = seed | 0;
  let high = (Math.imul(length, 0x165667b1) + height) | 0;
  for (let k = 0; k < 4; k++) {
    const [a, b, c, d] = [lanes[k], lanes[4 + k], lanes[8 + k], lanes[12 + k]];
    low = mix(low, round(round(a, b), round(c, d)));
    high = mix(high, round(round(d, a), round(b, c)));
  }
  return [mix(low, high), mix(high, low)];
}

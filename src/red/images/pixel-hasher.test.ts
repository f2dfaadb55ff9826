import { describe, expect, it } from "vitest";
import type { ImageSource } from "../../image/index.ts";
import { SurfaceHeap, createCodecs } from "../../image/index.ts";
import { loadImageModuleFromFile } from "../../image/load.node.ts";
import { PixelHasher } from "./pixel-hasher.ts";

const bytes = new Uint8Array(4096).map((_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24);
const source: ImageSource = { format: 9, width: 7, height: 5, stride: 40, offset: 12, bytes, topDown: true };

/** The same picture in other memory. */
function relaid(change: (pixel: Uint8Array, x: number, y: number) => void): ImageSource {
  const copy = new Uint8Array(28 * 5);
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 7; x++) {
      const pixel = bytes.slice(12 + 40 * y + 4 * x, 16 + 40 * y + 4 * x);
      change(pixel, x, y);
      copy.set(pixel, 28 * (4 - y) + 4 * x);
    }
  }
  return { ...source, stride: 28, offset: 0, bytes: copy, topDown: false };
}

describe("PixelHasher", async () => {
  const heap = new SurfaceHeap();
  const hashers = [
    ["plain", new PixelHasher(createCodecs())],
    ["WebAssembly", new PixelHasher(createCodecs(heap, await loadImageModuleFromFile(heap)))],
  ] as const;

  it.each(hashers)("%s: hashes what is seen, however it lies in memory", (_name, hasher) => {
    const print = hasher.fingerprint(source);
    expect(hasher.fingerprint(relaid(() => {}))).toBe(print);
    const flipped = { ...source, stride: -40, offset: 12 + 160, topDown: false };
    expect(hasher.fingerprint(flipped)).toBe(print);
    const changed = relaid((pixel, x, y) => {
      if (x === 3 && y === 4) pixel[3] ^= 1;
    });
    expect(hasher.fingerprint(changed)).not.toBe(print);
    // Of a 32BIT image the fourth byte is not seen.
    expect(hasher.fingerprint({ ...changed, format: 8 })).toBe(hasher.fingerprint({ ...source, format: 8 }));
  });

  it.each(hashers)("%s: tells formats, sizes and palettes apart", (_name, hasher) => {
    const palette = Uint32Array.of(1, 2, 3);
    const indexed = { ...source, format: 5, palette };
    const prints = [
      source,
      { ...source, format: 8 },
      { ...source, width: 5, height: 7 },
      { ...source, topDown: false },
      indexed,
      { ...indexed, palette: Uint32Array.of(1, 2, 4) },
      { ...indexed, palette: Uint32Array.of(1, 2) },
    ].map((one) => hasher.fingerprint(one));
    expect(new Set(prints).size).toBe(prints.length);
  });

  it("gives the same text with and without WebAssembly", () => {
    const [[, plain], [, fast]] = hashers;
    expect(fast.fingerprint(source)).toBe(plain.fingerprint(source));
  });
});

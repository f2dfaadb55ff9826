import { describe, expect, it } from "vitest";
import { PALETTE_CACHE_SIZE } from "../limits.ts";
import { PaletteCache } from "./palette-cache.ts";

const red = Uint32Array.of(0xff0000, 0);
const blue = Uint32Array.of(0x0000ff, 0);

describe("PaletteCache", () => {
  it("sends a palette once", () => {
    const cache = new PaletteCache();
    expect(cache.use(1n, red)).toEqual({ cached: false });
    expect(cache.use(1n, red.slice())).toEqual({ cached: true });
    expect(cache.use(2n, blue)).toEqual({ cached: false });
  });

  it("replaces one whose colours changed", () => {
    const cache = new PaletteCache();
    cache.use(1n, red);
    expect(cache.use(1n, blue)).toEqual({ cached: false, evicted: 1n });
    expect(cache.use(1n, blue)).toEqual({ cached: true });
    expect(cache.use(1n, blue.subarray(0, 1))).toEqual({ cached: false, evicted: 1n });
  });

  it("drops the least recently used when it is full", () => {
    const cache = new PaletteCache();
    for (let id = 1; id <= PALETTE_CACHE_SIZE; id++)
      expect(cache.use(BigInt(id), red)).toEqual({ cached: false });
    expect(cache.use(1n, red)).toEqual({ cached: true });
    // A full cache needs no room for new colours of what is in it.
    expect(cache.use(3n, blue)).toEqual({ cached: false, evicted: 3n });
    expect(cache.use(1000n, red)).toEqual({ cached: false, evicted: 2n });
    expect(cache.use(1001n, red)).toEqual({ cached: false, evicted: 4n });
    expect(cache.use(1n, red)).toEqual({ cached: true });
  });

  it("forgets", () => {
    const cache = new PaletteCache();
    cache.use(1n, red);
    cache.clear();
    expect(cache.use(1n, red)).toEqual({ cached: false });
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PIXMAP_CACHE_ITEMS, MAX_PIXMAP_CACHE_PIXELS } from "../limits.ts";
import { PixmapCache } from "./pixmap-cache.ts";

describe("PixmapCache", () => {
  it("takes any size a client may tell", () => {
    expect(new PixmapCache(100n).size).toBe(100);
    expect(new PixmapCache(0n).size).toBe(0);
    expect(new PixmapCache(-(2n ** 63n)).size).toBe(0);
    expect(new PixmapCache(2n ** 63n - 1n).size).toBe(MAX_PIXMAP_CACHE_PIXELS);
  });

  it("holds nothing that is larger than itself", () => {
    const cache = new PixmapCache(100n);
    expect([0, 1, 100, 101].map((pixels) => cache.fits(pixels))).toEqual([false, true, true, false]);
    expect(new PixmapCache(0n).fits(1)).toBe(false);
  });

  it("drops the least recently used, as many as it takes", () => {
    const cache = new PixmapCache(100n);
    for (const id of [1n, 2n, 3n, 4n]) expect(cache.add(id, 25, "a")).toEqual([]);
    expect(cache.hit(1n, "a")).toBe(true);
    expect(cache.add(5n, 30, "a")).toEqual([2n, 3n]);
    expect([1n, 2n, 3n, 4n, 5n].map((id) => cache.has(id))).toEqual([true, false, false, true, true]);
  });

  it("is not deceived by an id that is used again", () => {
    const cache = new PixmapCache(100n);
    cache.add(1n, 50, "a");
    cache.add(2n, 50, "b");
    expect(cache.hit(1n, "b")).toBe(false);
    // Its own place is free first, so nobody else has to go.
    expect(cache.add(1n, 50, "b")).toEqual([1n]);
    expect(cache.hit(1n, "b")).toBe(true);
    expect(cache.hit(2n, "b")).toBe(true);
  });

  it("holds only so many images, however small they are", () => {
    const cache = new PixmapCache(BigInt(MAX_PIXMAP_CACHE_PIXELS));
    for (let id = 0n; id < MAX_PIXMAP_CACHE_ITEMS; id++) expect(cache.add(id, 1, "")).toEqual([]);
    expect(cache.add(-1n, 1, "")).toEqual([0n]);
  });

  it("says whether there was anything to forget", () => {
    const cache = new PixmapCache(10n);
    expect(cache.clear()).toBe(false);
    cache.add(1n, 10, "");
    expect(cache.clear()).toBe(true);
    expect(cache.has(1n)).toBe(false);
    expect(cache.add(2n, 10, "")).toEqual([]);
  });

  it("agrees with a client that follows it, and never holds more than it may", () => {
    const uses = fc.array(
      fc.record({
        id: fc.bigInt({ min: 0n, max: 9n }),
        pixels: fc.integer({ min: 1, max: 60 }),
        content: fc.constantFrom("a", "b"),
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), uses, (size, list) => {
        const cache = new PixmapCache(BigInt(size));
        const client = new Map<bigint, { pixels: number; content: string }>();
        for (const { id, pixels, content } of list) {
          expect(cache.has(id)).toBe(client.has(id));
          const hit = cache.hit(id, content);
          expect(hit).toBe(client.get(id)?.content === content);
          if (hit || !cache.fits(pixels)) continue;
          for (const gone of cache.add(id, pixels, content)) expect(client.delete(gone)).toBe(true);
          client.set(id, { pixels, content });
          const used = [...client.values()].reduce((sum, entry) => sum + entry.pixels, 0);
          expect(used).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});

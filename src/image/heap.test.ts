import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeapLimitError, SurfaceHeap } from "./heap.ts";
import { HEAP_BASE } from "./layout.ts";

describe("SurfaceHeap", () => {
  it("never hands out memory twice, whatever the order of allocations and releases", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(300_000)), { maxLength: 80 }), (steps) => {
        const heap = new SurfaceHeap({ initialBytes: 0, maxBytes: 8 << 20 });
        const live: { pointer: number; size: number; mark: number }[] = [];
        for (const [index, [add, value]] of steps.entries()) {
          if (add || live.length === 0) {
            let pointer: number;
            try {
              pointer = heap.allocate(value);
            } catch (error) {
              expect(error).toBeInstanceOf(HeapLimitError);
              continue;
            }
            expect(pointer % 16).toBe(0);
            expect(pointer).toBeGreaterThanOrEqual(HEAP_BASE);
            expect(pointer + value).toBeLessThan(heap.u8.length);
            expect(heap.u8.subarray(pointer, pointer + value).every((byte) => byte === 0)).toBe(true);
            const mark = 1 + (index % 255);
            heap.u8.fill(mark, pointer, pointer + value);
            live.push({ pointer, size: value, mark });
          } else {
            const [{ pointer, size, mark }] = live.splice(value % live.length, 1);
            expect(heap.u8.subarray(pointer, pointer + size).every((byte) => byte === mark)).toBe(true);
            heap.release(pointer);
          }
        }
        for (const { pointer } of live) heap.release(pointer);
        expect(heap.used).toBe(0);
      }),
    );
  });

  it("gives all memory back: what was free once is free again", () => {
    const heap = new SurfaceHeap({ initialBytes: 0, maxBytes: 4 << 20 });
    const large = heap.allocate(2 << 20);
    heap.release(large);
    const parts = Array.from({ length: 8 }, () => heap.allocate(256 << 10));
    for (const pointer of [...parts.filter((_, i) => i % 2 === 0), ...parts.filter((_, i) => i % 2 === 1)])
      heap.release(pointer);
    expect(heap.allocate(2 << 20)).toBe(large);
  });

  it("refuses what passes its limit and stays usable", () => {
    const heap = new SurfaceHeap({ initialBytes: 0, maxBytes: 2 << 20 });
    expect(() => heap.allocate(4 << 20)).toThrow(HeapLimitError);
    expect(() => heap.allocate(-1)).toThrow(RangeError);
    expect(() => heap.release(12)).toThrow(RangeError);
    expect(heap.allocate(1000)).toBe(HEAP_BASE);
  });
});

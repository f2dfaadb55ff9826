import { array, assert, integer, nat, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rect } from "../protocol/red-command.ts";
import { Region } from "./region.ts";

const SIDE = 24;

const anyRect = tuple(integer({ min: -2, max: SIDE }), integer({ min: -2, max: SIDE }), nat(9), nat(9)).map(
  ([left, top, width, height]): Rect => ({ top, left, bottom: top + height, right: left + width }),
);
const anyRects = array(anyRect, { maxLength: 12 });

/** The model: one flag a pixel. */
function bitmap(list: readonly Rect[]): boolean[] {
  const bits: boolean[] = [];
  for (let y = -4; y < SIDE + 12; y++) {
    for (let x = -4; x < SIDE + 12; x++) {
      bits.push(
        list.some(({ top, left, bottom, right }) => x >= left && x < right && y >= top && y < bottom),
      );
    }
  }
  return bits;
}

function expectCanonical(region: Region): void {
  const { boxes } = region;
  for (let i = 0; i < boxes.length; i += 4) {
    expect(boxes[i]).toBeLessThan(boxes[i + 2]);
    expect(boxes[i + 1]).toBeLessThan(boxes[i + 3]);
    if (i === 0) continue;
    if (boxes[i + 1] === boxes[i - 3]) {
      expect(boxes[i + 3]).toBe(boxes[i - 1]);
      expect(boxes[i]).toBeGreaterThan(boxes[i - 2]);
    } else expect(boxes[i + 1]).toBeGreaterThanOrEqual(boxes[i - 1]);
  }
}

describe("Region", () => {
  it("is the union of rectangles, in canonical bands", () => {
    assert(
      property(anyRects, (list) => {
        const region = Region.union(list);
        expectCanonical(region);
        expect(region.size).toBe(region.rects().length);
        expect(bitmap(region.rects())).toEqual(bitmap(list));
        expect(region.area).toBe(bitmap(list).filter(Boolean).length);
      }),
    );
  });

  it("unites, intersects and subtracts as sets of pixels do", () => {
    assert(
      property(anyRects, anyRects, (first, second) => {
        const [a, b] = [Region.union(first), Region.union(second)];
        const [bitsA, bitsB] = [bitmap(first), bitmap(second)];
        const results: [Region, (x: boolean, y: boolean) => boolean][] = [
          [a.union(b), (x, y) => x || y],
          [a.intersect(b), (x, y) => x && y],
          [a.subtract(b), (x, y) => x && !y],
        ];
        for (const [region, rule] of results) {
          expectCanonical(region);
          expect(bitmap(region.rects())).toEqual(bitsA.map((bit, i) => rule(bit, bitsB[i])));
        }
      }),
    );
  });

  it("has one shape for one set", () => {
    assert(
      property(anyRects, anyRects, (first, second) => {
        const [a, b] = [Region.union(first), Region.union(second)];
        expect(a.union(b).equals(Region.union([...second, ...first]))).toBe(true);
        expect(a.subtract(b).union(a.intersect(b)).equals(a)).toBe(true);
        expect(a.includes(a.intersect(b))).toBe(true);
        expect(a.intersects(b)).toBe(!a.intersect(b).isEmpty);
      }),
    );
  });

  it("moves, knows its bounds and its pixels", () => {
    assert(
      property(anyRects, integer({ min: -3, max: 3 }), integer({ min: -3, max: 3 }), (list, dx, dy) => {
        const region = Region.union(list);
        const moved = region.translate(dx, dy);
        expect(moved.translate(-dx, -dy).equals(region)).toBe(true);
        for (let y = -4; y < SIDE; y += 3) {
          for (let x = -4; x < SIDE; x += 2)
            expect(moved.contains(x + dx, y + dy)).toBe(region.contains(x, y));
        }
        const bounds = region.bounds();
        expect(Region.rect(bounds).includes(region)).toBe(true);
        if (region.isEmpty) return;
        expect(bounds.left).toBe(Math.min(...region.rects().map(({ left }) => left)));
        expect(bounds.right).toBe(Math.max(...region.rects().map(({ right }) => right)));
      }),
    );
  });
});

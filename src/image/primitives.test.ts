import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowBytes } from "./formats.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import { Rop2 } from "./primitives.ts";
import type { SurfacePrimitives } from "./primitives.ts";
import { PlainPrimitives } from "./primitives-plain.ts";
import { firstDifference, paint } from "./source.testing.ts";

const heap = new SurfaceHeap();
const wasm = await loadImageModuleFromFile(heap);
const plain = new PlainPrimitives(heap);
const STRIDE = 320;
const ROWS = 60;
const surface = heap.allocate(STRIDE * ROWS);
const other = heap.allocate(STRIDE * ROWS);

/** Runs `draw` with both implementations on equal surfaces and expects equal surfaces; returns the surface. */
function expectSame(seed: number, draw: (primitives: SurfacePrimitives) => void): Uint8Array {
  const results = [plain, wasm].map((primitives) => {
    paint(heap.u8.subarray(surface, surface + STRIDE * ROWS), STRIDE, 4, 5, seed);
    paint(heap.u8.subarray(other, other + STRIDE * ROWS), STRIDE, 4, 0, seed + 1);
    draw(primitives);
    return heap.u8.slice(surface, surface + STRIDE * ROWS);
  });
  expect(firstDifference(results[1], results[0])).toBe(-1);
  return results[0];
}

const rectangle = fc.record({
  x: fc.nat(40),
  y: fc.nat(20),
  x2: fc.nat(40),
  y2: fc.nat(20),
  width: fc.integer({ min: 1, max: 39 }),
  height: fc.integer({ min: 1, max: 40 }),
  seed: fc.nat(1000),
});

describe("surface primitives, WebAssembly against plain", () => {
  it("copyRect moves rows within one surface whatever the overlap", () => {
    fc.assert(
      fc.property(rectangle, ({ x, y, x2, y2, width, height, seed }) => {
        const before = new Uint8Array(STRIDE * ROWS);
        paint(before, STRIDE, 4, 5, seed);
        const after = expectSame(seed, (p) =>
          p.copyRect(
            surface + y * STRIDE + 4 * x,
            STRIDE,
            surface + y2 * STRIDE + 4 * x2,
            STRIDE,
            4 * width,
            height,
          ),
        );
        for (let row = 0; row < height; row++) {
          const [to, from] = [(y + row) * STRIDE + 4 * x, (y2 + row) * STRIDE + 4 * x2];
          expect(
            firstDifference(after.subarray(to, to + 4 * width), before.subarray(from, from + 4 * width)),
          ).toBe(-1);
        }
        const last = (height - 1) * STRIDE;
        const upsideDown = expectSame(seed, (p) =>
          p.copyRect(
            surface + y * STRIDE + last + 4 * x,
            -STRIDE,
            surface + y2 * STRIDE + last + 4 * x2,
            -STRIDE,
            4 * width,
            height,
          ),
        );
        expect(firstDifference(upsideDown, after)).toBe(-1);
      }),
    );
  });

  it("fillRect and ropFill keep to their rectangle", () => {
    fc.assert(
      fc.property(
        rectangle,
        fc.nat(15),
        fc.nat(0xffffffff),
        fc.nat(3),
        ({ x, y, width, height, seed }, op, pattern, odd) => {
          const at = surface + y * STRIDE + 4 * x;
          expectSame(seed, (p) => p.fillRect(at, STRIDE, 4 * width + odd, height, pattern));
          expectSame(seed, (p) => p.ropFill(op, at, STRIDE, 4 * width + odd, height, pattern));
        },
      ),
    );
  });

  it("ropRect follows the truth table", () => {
    fc.assert(
      fc.property(rectangle, fc.nat(15), ({ x, y, x2, y2, width, height, seed }, op) => {
        expectSame(seed, (p) =>
          p.ropRect(
            op,
            surface + y * STRIDE + 4 * x,
            STRIDE,
            other + y2 * STRIDE + 4 * x2,
            STRIDE,
            4 * width + (seed & 3),
            height,
          ),
        );
      }),
    );
    const xor = expectSame(3, (p) => p.ropRect(Rop2.XOR, surface, STRIDE, surface, STRIDE, STRIDE, ROWS));
    expect(xor.every((byte) => byte === 0)).toBe(true);
    expect(
      expectSame(3, (p) => p.ropFill(Rop2.SET, surface, STRIDE, STRIDE, ROWS, 0)).every(
        (byte) => byte === 255,
      ),
    ).toBe(true);
  });

  it("overRect blends premultiplied pixels", () => {
    fc.assert(
      fc.property(
        rectangle,
        fc.nat(255),
        fc.boolean(),
        ({ x, y, x2, y2, width, height, seed }, opacity, opaque) => {
          expectSame(seed, (p) =>
            p.overRect(
              surface + y * STRIDE + 4 * x,
              STRIDE,
              other + y2 * STRIDE + 4 * x2,
              STRIDE,
              width,
              height,
              opacity,
              opaque,
            ),
          );
        },
      ),
    );
    const untouched = expectSame(9, () => undefined);
    expect(
      firstDifference(
        expectSame(9, (p) => p.overRect(surface, STRIDE, other, STRIDE, 80, ROWS, 0, true)),
        untouched,
      ),
    ).toBe(-1);
  });

  it("convertRect makes 32-bit pixels of every format", () => {
    const palette = heap.allocate(1024);
    paint(heap.u8.subarray(palette, palette + 1024), 1024, 4, 0, 3);
    fc.assert(
      fc.property(rectangle, fc.integer({ min: 1, max: 10 }), ({ x, y, width, height, seed }, format) => {
        const stride = rowBytes(format, width) + (seed % 5);
        expectSame(seed, (p) =>
          p.convertRect(format, other, stride, width, height, surface + y * STRIDE + 4 * x, STRIDE, palette),
        );
      }),
      { numRuns: 300 },
    );
    const white = expectSame(1, (p) => {
      p.fillRect(other, 2, 2, 1, 0x7fff7fff);
      p.convertRect(6, other, 2, 1, 1, surface, STRIDE, palette);
    });
    expect([...white.subarray(0, 4)]).toEqual([255, 255, 255, 0]);
  });

  it("hashRect depends on every byte that counts, and on no other", () => {
    fc.assert(
      fc.property(rectangle, fc.nat(), fc.boolean(), ({ x, y, width, height, seed }, at, pad) => {
        const from = surface + y * STRIDE + 4 * x;
        const hash = (p: SurfacePrimitives): [number, number] => [
          p.hashRect(from, STRIDE, 4 * width, height, seed, pad),
          p.hashUpper(),
        ];
        paint(heap.u8.subarray(surface, surface + STRIDE * ROWS), STRIDE, 4, 5, seed);
        const first = hash(wasm);
        expect(hash(plain)).toEqual(first);
        const column = at % (4 * width);
        heap.u8[from + (at % height) * STRIDE + column] ^= 1 + (at % 255);
        if (pad && column % 4 === 3) expect(hash(wasm)).toEqual(first);
        else expect(hash(wasm)).not.toEqual(first);
      }),
      { numRuns: 500 },
    );
  });
});

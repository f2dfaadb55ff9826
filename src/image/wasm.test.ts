import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildImageModule } from "./build.ts";
import { BitmapFmt, isPalette, rowBytes } from "./formats.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import { LzEncoder, LzWorkspace } from "./lz/lz-encode.ts";
import { QuicEncoder } from "./quic/quic-encode.ts";
import { arbitrarySource, firstDifference, paint, paletteFormats, rgbFormats } from "./source.testing.ts";
import type { ImageEncoder, ImageSource } from "./source.ts";
import { WasmLzEncoder, WasmQuicEncoder } from "./wasm-encoders.ts";
import { WasmWorkspace } from "./wasm-workspace.ts";

const heap = new SurfaceHeap();
const work = new WasmWorkspace(heap, await loadImageModuleFromFile(heap));
const plain = new LzWorkspace();

/** The same source with its bytes inside the heap. */
function inHeap<T>(source: ImageSource, use: (source: ImageSource) => T): T {
  const pointer = heap.allocate(source.bytes.length);
  heap.u8.set(source.bytes, pointer);
  try {
    return use({ ...source, bytes: heap.u8, offset: pointer + source.offset });
  } finally {
    heap.release(pointer);
  }
}

function expectSame(twin: ImageEncoder, wasm: ImageEncoder, source: ImageSource): void {
  const expected = twin.encode(source)?.slice() ?? new Uint8Array(0);
  expect(firstDifference(wasm.encode(source) ?? new Uint8Array(0), expected)).toBe(-1);
  const placed = inHeap(source, (inside) => wasm.encode(inside)?.slice() ?? new Uint8Array(0));
  expect(firstDifference(placed, expected)).toBe(-1);
}

describe("WebAssembly encoders make the bytes of their plain twins", () => {
  it("QUIC", () => {
    const [twin, wasm] = [new QuicEncoder(), new WasmQuicEncoder(work)];
    fc.assert(
      fc.property(arbitrarySource(rgbFormats, 90, 3), (source) => expectSame(twin, wasm, source)),
      { numRuns: 500 },
    );
  });

  it("QUIC of images larger than one wait mask", () => {
    const [twin, wasm] = [new QuicEncoder(), new WasmQuicEncoder(work)];
    for (const format of rgbFormats) {
      for (let kind = 0; kind < 6; kind++) {
        const stride = rowBytes(format, 517);
        const bytes = new Uint8Array(stride * 60);
        paint(bytes, stride, stride / 517, kind, 3);
        expectSame(twin, wasm, { format, width: 517, height: 60, stride, offset: 0, bytes, topDown: true });
      }
    }
  });

  it("LZ", () => {
    const twins = { rgb: new LzEncoder("lz", plain), plt: new LzEncoder("lz_plt", plain) };
    const wasm = { rgb: new WasmLzEncoder("lz", work), plt: new WasmLzEncoder("lz_plt", work) };
    fc.assert(
      fc.property(arbitrarySource([...rgbFormats, ...paletteFormats, BitmapFmt.Bit8A], 120), (source) => {
        const kind = isPalette(source.format) ? "plt" : "rgb";
        expectSame(twins[kind], wasm[kind], source);
        if (source.format === BitmapFmt.Rgba) {
          expect(firstDifference(wasm.rgb.encodeAlpha(source), plain.encodeAlpha(source))).toBe(-1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("image.wasm", () => {
  it("is below 60 kB gzipped", async () => {
    const wasm = await readFile(await buildImageModule());
    expect(gzipSync(wasm, { level: 9 }).length).toBeLessThan(60_000);
  });
});

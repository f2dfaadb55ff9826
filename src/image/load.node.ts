import { readFile } from "node:fs/promises";
import { buildImageModule } from "./build.ts";
import type { SurfaceHeap } from "./heap.ts";
import type { ImageModule } from "./module.ts";
import { loadImageModule } from "./module.ts";

/** Builds image.wasm if a source changed, and loads it. For tests, benchmarks and servers without a browser. */
export async function loadImageModuleFromFile(heap: SurfaceHeap): Promise<ImageModule> {
  const path = await buildImageModule();
  const module = await loadImageModule(new Uint8Array(await readFile(path)), heap);
  if (module === undefined)
    throw new Error(`${path} is not valid WebAssembly for this engine (SIMD is needed)`);
  return module;
}

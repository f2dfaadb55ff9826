// Compiles the AssemblyScript of src/image/assembly to build/image/image.wasm, and only when a source is newer.
// Run: npx tsx src/image/build.ts
import { mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { main as compile } from "assemblyscript/asc";
import { HEAP_BASE, STATIC_BASE } from "./layout.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

/** Where the compiled module lies, from the root of the project. */
export const IMAGE_WASM = join(root, "build", "image", "image.wasm");

async function newest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs));
  return Math.max(...times);
}

/** Compiles if needed. @throws Error with the compiler's messages. */
export async function buildImageModule(): Promise<string> {
  const assembly = join(here, "assembly");
  const files = await readdir(assembly);
  const sources = [
    ...files.map((file) => join(assembly, file)),
    join(here, "layout.ts"),
    join(here, "build.ts"),
  ];
  const built = await stat(IMAGE_WASM).then(
    (file) => file.mtimeMs,
    () => 0,
  );
  if (built > (await newest(sources))) return IMAGE_WASM;
  await mkdir(dirname(IMAGE_WASM), { recursive: true });
  const flags =
    "-O3 --converge --noAssert --enable simd --enable bulk-memory --runtime stub --importMemory".split(" ");
  const memory = ["--initialMemory", String((HEAP_BASE + 0xffff) >> 16), "--memoryBase", String(STATIC_BASE)];
  const paths = ["src/image/assembly/index.ts", "--outFile", "build/image/image.wasm", "--baseDir", root];
  const { error, stdout, stderr } = await compile([...paths, ...flags, ...memory]);
  if (error) throw new Error(`AssemblyScript: ${error.message}\n${stderr.toString()}${stdout.toString()}`);
  return IMAGE_WASM;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = await buildImageModule();
  console.log(`${path}: ${(await stat(path)).size} bytes`);
}

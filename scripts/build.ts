/** `npm run build`: the codecs as WebAssembly, then the page. */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildUnlessFresh, root } from "./sources.ts";

const CODEC_SOURCES = ["src/image/assembly", "src/image/layout.ts", "src/image/build.ts"];
const SOURCES = ["src", "workers", "public", "index.html", "vite.config.ts", "package-lock.json"];

/** Builds what is older than its sources. */
export async function buildPage(report: (line: string) => void): Promise<void> {
  // The compilers are large: they are loaded only when there is something to compile.
  await buildUnlessFresh("build/image/.stamp", CODEC_SOURCES, async () => {
    report("Building the image codecs …");
    const { buildImageModule } = await import("../src/image/build.ts");
    await buildImageModule();
  });
  await buildUnlessFresh("dist/.stamp", SOURCES, async () => {
    report("Building the page …");
    const { build } = await import("vite");
    // Beside the old one, which may be served right now, and then in its place.
    const fresh = join(root, `build/page-${process.pid}`);
    const old = `${fresh}-old`;
    const dist = join(root, "dist");
    try {
      await mkdir(join(root, "build"), { recursive: true });
      await build({
        root,
        configFile: join(root, "vite.config.ts"),
        logLevel: "warn",
        build: { outDir: fresh, emptyOutDir: true },
      });
      await rename(dist, old).catch(() => {});
      await rename(fresh, dist);
    } finally {
      await rm(fresh, { recursive: true, force: true });
      await rm(old, { recursive: true, force: true });
    }
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildPage((line) => process.stdout.write(`${line}\n`));
}

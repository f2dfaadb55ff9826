/** `npm run build`: the codecs as WebAssembly, then the page. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { buildImageModule } from "../src/image/build.ts";
import { buildUnlessFresh, root } from "./sources.ts";

/** Builds what is older than its sources. */
export async function buildPage(report: (line: string) => void): Promise<void> {
  await buildImageModule();
  const sources = ["src", "workers", "public", "index.html", "vite.config.ts", "package-lock.json"];
  await buildUnlessFresh("dist/.stamp", sources, async () => {
    report("Building the page …");
    await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn" });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildPage((line) => process.stdout.write(`${line}\n`));
}

/** `npm run build`: the codecs as WebAssembly, then the page. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { buildUnlessFresh, root } from "./sources.ts";

const CODECS = "src/image/build.ts";

/** Builds what is older than its sources. */
export async function buildPage(report: (line: string) => void): Promise<void> {
  if (existsSync(join(root, CODECS))) {
    await buildUnlessFresh("build/codecs.stamp", ["src/image", "package-lock.json"], async () => {
      report("Building the image codecs …");
      const done = spawnSync(process.execPath, ["--import", "tsx", CODECS], { cwd: root, stdio: "inherit" });
      if (done.status !== 0) throw new Error("the image codecs could not be built; see above");
    });
  }
  const sources = ["src", "workers", "public", "index.html", "vite.config.ts", "package-lock.json"];
  await buildUnlessFresh("dist/.stamp", sources, async () => {
    report("Building the page …");
    await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "warn" });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildPage((line) => process.stdout.write(`${line}\n`));
}

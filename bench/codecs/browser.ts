import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { build } from "vite";
import { IMAGE_WASM, buildImageModule } from "../../src/image/build.ts";
import type { ContestResult } from "./measure.ts";
import { benchPictures } from "./pictures.ts";

/** The same contests in Chromium, ours only: how fast the product's own engine is. `only` names codecs; none means all. */
export async function runInBrowser(rounds: number, only: readonly string[]): Promise<ContestResult[]> {
  await buildImageModule();
  const entry = join(fileURLToPath(import.meta.url), "..", "browser-entry.ts");
  const output = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "esnext",
      lib: { entry, formats: ["es"], fileName: "bench" },
    },
  });
  const bundles = Array.isArray(output) ? output : [output];
  const chunk = bundles
    .flatMap((bundle) => ("output" in bundle ? bundle.output : []))
    .find((file) => file.type === "chunk");
  if (chunk?.type !== "chunk") throw new Error("the benchmark's page was not built");
  const wasm = readFileSync(IMAGE_WASM).toString("base64");
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: chunk.code, type: "module" });
    const results: ContestResult[] = [];
    for (const { name, width, height, pixels } of await benchPictures()) {
      const job = {
        name,
        width,
        height,
        pixels: Buffer.from(pixels).toString("base64"),
        wasm,
        rounds,
        only: only.join(),
      };
      const run = (task: typeof job) =>
        (globalThis as unknown as { runPicture(task: unknown): Promise<ContestResult[]> }).runPicture(task);
      results.push(...(await page.evaluate(run, job)));
    }
    return results;
  } finally {
    await browser.close();
  }
}

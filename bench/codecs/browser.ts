import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IMAGE_WASM, buildImageModule } from "../../src/image/build.ts";
import { withChromiumPage } from "../chromium-page.ts";
import type { ContestResult } from "./measure.ts";
import { benchPictures } from "./pictures.ts";

/** The same contests in Chromium, ours only: how fast the product's own engine is. `only` names codecs; none means all. */
export async function runInBrowser(rounds: number, only: readonly string[]): Promise<ContestResult[]> {
  await buildImageModule();
  const wasm = readFileSync(IMAGE_WASM).toString("base64");
  const entry = join(fileURLToPath(import.meta.url), "..", "browser-entry.ts");
  return withChromiumPage(entry, async (page) => {
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
  });
}

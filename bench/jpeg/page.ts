import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { IMAGE_WASM, buildImageModule } from "../../src/image/build.ts";
import { withChromiumPage } from "../chromium-page.ts";
import type { JpegPage, JpegTask } from "./browser-entry.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** Opens a page in Chromium that has our codecs, and lets `use` call its functions. */
export async function withJpegPage<T>(
  use: (
    call: <K extends keyof JpegPage>(name: K, task: JpegTask) => Promise<Awaited<ReturnType<JpegPage[K]>>>,
  ) => Promise<T>,
): Promise<T> {
  await buildImageModule();
  return withChromiumPage(join(here, "browser-entry.ts"), async (page) => {
    const wasm = readFileSync(IMAGE_WASM).toString("base64");
    await page.evaluate(
      (text) => (globalThis as unknown as { jpegPage: JpegPage }).jpegPage.load(text as never),
      wasm,
    );
    return use((name, task) =>
      page.evaluate(
        ([which, what]) =>
          (globalThis as unknown as { jpegPage: JpegPage }).jpegPage[which as "compare"](
            what as JpegTask,
          ) as never,
        [name, task] as const,
      ),
    );
  });
}

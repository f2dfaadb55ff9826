import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { build } from "vite";
import { IMAGE_WASM, buildImageModule } from "../../src/image/build.ts";
import type { JpegPage, JpegTask } from "./browser-entry.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** Opens a page in Chromium that has our codecs, and lets `use` call its functions. */
export async function withJpegPage<T>(
  use: (
    call: <K extends keyof JpegPage>(name: K, task: JpegTask) => Promise<Awaited<ReturnType<JpegPage[K]>>>,
  ) => Promise<T>,
): Promise<T> {
  await buildImageModule();
  const entry = join(here, "browser-entry.ts");
  const lib = { entry, formats: ["es" as const], fileName: "page" };
  const output = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, target: "esnext", lib },
  });
  const bundles = Array.isArray(output) ? output : [output];
  const chunk = bundles
    .flatMap((bundle) => ("output" in bundle ? bundle.output : []))
    .find((file) => file.type === "chunk");
  if (chunk?.type !== "chunk") throw new Error("the page was not built");
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: chunk.code, type: "module" });
    const wasm = readFileSync(IMAGE_WASM).toString("base64");
    await page.evaluate(
      (text) => (globalThis as unknown as { jpegPage: JpegPage }).jpegPage.load(text as never),
      wasm,
    );
    return await use((name, task) =>
      page.evaluate(
        ([which, what]) =>
          (globalThis as unknown as { jpegPage: JpegPage }).jpegPage[which as "compare"](
            what as JpegTask,
          ) as never,
        [name, task] as const,
      ),
    );
  } finally {
    await browser.close();
  }
}

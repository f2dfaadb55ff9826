import { chromium, type Page } from "playwright-core";
import { build } from "vite";

/** A module with all that it imports, as one text. */
export async function bundle(entry: string): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "esnext",
      lib: { entry, formats: ["es"], fileName: "page" },
    },
  });
  const bundles = Array.isArray(output) ? output : [output];
  const chunk = bundles
    .flatMap((bundle) => ("output" in bundle ? bundle.output : []))
    .find((file) => file.type === "chunk");
  if (chunk?.type !== "chunk") throw new Error(`${entry}: the module was not built`);
  return chunk.code;
}

/** Bundles a module and opens it in a page of the system's Chromium; `use` may then call what it put on globalThis. */
export async function withChromiumPage<T>(entry: string, use: (page: Page) => Promise<T>): Promise<T> {
  const content = await bundle(entry);
  const browser = await chromium.launch({
    executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content, type: "module" });
    return await use(page);
  } finally {
    await browser.close();
  }
}

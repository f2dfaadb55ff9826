import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { PNG } from "pngjs";
import { scenes } from "./scenes.ts";
import type { BenchPicture } from "./tiles.ts";

const cache = join(dirname(fileURLToPath(import.meta.url)), "..", "..", ".cache", "bench-pictures");

function toBgrx(png: PNG): Uint8Array {
  const pixels = new Uint8Array(png.width * png.height * 4);
  for (let i = 0; i < pixels.length; i += 4) {
    pixels[i] = png.data[i + 2];
    pixels[i + 1] = png.data[i + 1];
    pixels[i + 2] = png.data[i];
  }
  return pixels;
}

/** Renders the scenes once and keeps them; later calls read the cache. */
export async function benchPictures(): Promise<BenchPicture[]> {
  const key = createHash("sha256").update(JSON.stringify(scenes)).digest("hex").slice(0, 12);
  const folder = join(cache, key);
  const file = (name: string) => join(folder, `${name}.png`);
  if (!scenes.every((scene) => existsSync(file(scene.name)))) {
    mkdirSync(folder, { recursive: true });
    const browser = await chromium.launch({
      executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    });
    try {
      const tab = await browser.newPage({ viewport: { width: 1024, height: 768 } });
      for (const scene of scenes) {
        await tab.setContent(scene.html);
        writeFileSync(file(scene.name), await tab.screenshot());
      }
    } finally {
      await browser.close();
    }
  }
  return scenes.map(({ name }) => {
    const png = PNG.sync.read(readFileSync(file(name)));
    return { name, width: png.width, height: png.height, pixels: toBgrx(png) };
  });
}

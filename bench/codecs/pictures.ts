import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { PNG } from "pngjs";
import { scenes } from "./scenes.ts";

/** A picture as a surface holds it: 32 bit little-endian xRGB (bytes B, G, R, 0), top-down, stride = 4 * width. */
export interface BenchPicture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

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

/** Cuts a picture into tiles of `width` x `height` on a grid; partial tiles at the edges are left out. */
export function cut(picture: BenchPicture, width: number, height: number): BenchPicture[] {
  const tiles: BenchPicture[] = [];
  for (let y = 0; y + height <= picture.height; y += height) {
    for (let x = 0; x + width <= picture.width; x += width) {
      const pixels = new Uint8Array(width * height * 4);
      for (let row = 0; row < height; row++) {
        const from = ((y + row) * picture.width + x) * 4;
        pixels.set(picture.pixels.subarray(from, from + width * 4), row * width * 4);
      }
      tiles.push({ name: picture.name, width, height, pixels });
    }
  }
  return tiles;
}

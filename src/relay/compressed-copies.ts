import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { MIN_COMPRESSED_BYTES } from "./limits.ts";

/** What gains nothing. */
const COMPRESSED = new Set([".png", ".woff2", ".jpg", ".gz", ".xz", ".zst"]);

/**
 * Copies of files as gzip, made once and kept: a desktop's initrd is 33 MB then instead of 80. Brotli makes 32 of it in twice the time,
 * and browsers take it only over TLS.
 *
 * A copy is named after the path, size and time of its original, so one of an older file is never taken for it.
 */
export class CompressedCopies {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The copy of that very file, where there is one. */
  async find(file: string, stats: Stats): Promise<{ folder: string; name: string } | undefined> {
    const name = copyName(file, stats);
    const copy = await stat(join(this.#folder, name)).catch(() => undefined);
    return copy?.isFile() ? { folder: this.#folder, name } : undefined;
  }

  /** Makes those that are missing for all files below `roots`, one after the other, and drops those that no file has any more. */
  async make(roots: readonly string[], signal: AbortSignal): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const wanted = new Set<string>();
    for (const root of roots) {
      for (const file of await filesBelow(root)) {
        if (signal.aborted) return;
        const stats = await stat(file).catch(() => undefined);
        if (!stats?.isFile() || stats.size < MIN_COMPRESSED_BYTES || COMPRESSED.has(extname(file))) continue;
        const name = copyName(file, stats);
        wanted.add(name);
        if (await this.find(file, stats)) continue;
        await this.#copy(file, name, signal);
      }
    }
    for (const name of await readdir(this.#folder)) {
      if (!wanted.has(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  async #copy(file: string, name: string, signal: AbortSignal): Promise<void> {
    const unfinished = join(this.#folder, `${name}.${randomBytes(6).toString("hex")}.part`);
    try {
      await pipeline(createReadStream(file), createGzip(), createWriteStream(unfinished), { signal });
      await rename(unfinished, join(this.#folder, name));
    } finally {
      await rm(unfinished, { force: true });
    }
  }
}

/** The ending stays, since it tells the content's type. */
function copyName(file: string, { size, mtimeMs }: Stats): string {
  const key = createHash("sha256").update(`${file}\0${size}\0${mtimeMs}`).digest("hex").slice(0, 32);
  return `${key}${extname(basename(file))}`;
}

async function filesBelow(root: string): Promise<string[]> {
  const folder = await realpath(root).catch(() => undefined);
  if (folder === undefined) return [];
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

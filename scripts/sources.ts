import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A hash over the names and contents of all files below `paths` (relative to the project), tests left out. */
export async function hashSources(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) await addSources(hash, path);
  return hash.digest("hex");
}

async function addSources(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const full = join(root, path);
  if (!existsSync(full)) return;
  const entries = await readdir(full, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    if (/\.(test|testing)\.ts$/.test(path)) return;
    hash.update(`${path}\0`).update(await readFile(full));
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await addSources(hash, `${path}/${entry.name}`);
  }
}

/** Runs `build` unless it ran for the same sources: `stamp` (relative to the project) remembers them. */
export async function buildUnlessFresh(
  stamp: string,
  sources: readonly string[],
  build: () => Promise<void>,
): Promise<boolean> {
  const file = join(root, stamp);
  const wanted = await hashSources(sources);
  if ((await readFile(file, "utf8").catch(() => "")) === wanted) return false;
  await build();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, wanted);
  return true;
}

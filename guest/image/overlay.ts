import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { patternTest } from "./select.ts";
import type { Tree } from "./tree.ts";

/** Programs of the overlay; their mode does not depend on what the checkout's file system can store. */
const isProgram = patternTest(["init", "usr/bin/*", "usr/sbin/*", "usr/libexec/**"]);

/** Puts the files below `folder` into the tree, over what is there. */
export async function applyOverlay(tree: Tree, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath ?? entry.path, entry.name);
    const path = source.slice(folder.length + 1).replaceAll("\\", "/");
    tree.file(path, await readFile(source), isProgram(path) ? 0o755 : 0o644);
  }
}

import { patternTest } from "./select.ts";
import type { Tree } from "./tree.ts";

/** Programs of the overlay; their mode does not depend on what the checkout's file system can store. */
const isProgram = patternTest(["init", "usr/bin/*", "usr/sbin/*", "usr/libexec/**"]);

/** Puts files into the tree, over what is there. Paths are below the guest's root. */
export function applyOverlay(tree: Tree, files: Iterable<readonly [path: string, data: Uint8Array]>): void {
  for (const [path, data] of files) tree.file(path, data, isProgram(path) ? 0o755 : 0o644);
}

import { isElf32, readDynamic } from "./elf.ts";
import { linkTarget, Tree } from "./tree.ts";

const LIBRARY_FOLDERS = ["usr/lib/i386-linux-gnu", "usr/lib"];

/** Turns a pattern into a test: `*` stands for anything within a folder, `**` across folders, `{a,b}` for either, `[5-9]` for one of these. */
export function patternTest(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const sources = patterns.map((pattern) =>
    pattern.replace(/\*\*|\*|[{},]|[.+?^$()|\\]/g, (token) => {
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "{") return "(?:";
      if (token === "}") return ")";
      if (token === ",") return "|";
      return `\\${token}`;
    }),
  );
  const expression = new RegExp(`^(?:${sources.join("|")})$`);
  return (path) => expression.test(path);
}

/** The chosen files, and the libraries that are asked for but in no package. */
export interface Selection {
  tree: Tree;
  /** Library name to the files that need it. */
  missing: Map<string, string[]>;
}

/**
 * Closes the seeds over files: shared libraries by DT_NEEDED (also along a file's RUNPATH), targets of symbolic links.
 * Data and plugins that are opened by name at run time must be among the seeds.
 */
export function selectFiles(all: Tree, seeds: readonly string[], drops: readonly string[]): Selection {
  const seeded = patternTest(seeds);
  const dropped = patternTest(drops);
  const tree = new Tree();
  const missing = new Map<string, string[]>();
  const queue = [...all.paths()].filter((path) => seeded(path) && !dropped(path)).sort();

  const findLibrary = (name: string, runpath: readonly string[]): string | undefined =>
    [...runpath.map((folder) => folder.replace(/^\//, "")), ...LIBRARY_FOLDERS]
      .map((folder) => `${folder}/${name}`)
      .find((path) => all.resolve(path) !== undefined);

  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const node = all.get(path);
    if (node === undefined || tree.has(path)) continue;
    tree.set(path, node);
    if (node.type === "symlink") queue.push(linkTarget(path, node.target));
    if (node.type !== "file" || !isElf32(node.data)) continue;
    const dynamic = readDynamic(node.data);
    if (dynamic === undefined) continue;
    // Everything dynamic is started by the loader, which PT_INTERP names.
    queue.push("usr/lib/ld-linux.so.2");
    for (const name of dynamic.needed) {
      const library = findLibrary(name, dynamic.runpath);
      if (library !== undefined) queue.push(library);
      else missing.set(name, [...(missing.get(name) ?? []), path]);
    }
  }
  return { tree, missing };
}

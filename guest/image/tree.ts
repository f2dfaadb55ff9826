import { cleanPath } from "./deb.ts";

/** A file, folder or symbolic link of the guest's root; modes are Unix permission bits, owner and group are root. */
export type TreeNode =
  | { type: "file"; mode: number; data: Uint8Array }
  | { type: "directory"; mode: number }
  | { type: "symlink"; target: string };

/** Names that merged into `/usr`: Debian 12 packages still ship files below the old ones. */
const MERGED = ["bin", "sbin", "lib"] as const;

/** Where a packaged path lies after the usr-merge. */
export function mergedPath(path: string): string {
  const first = path.split("/", 1)[0];
  return (MERGED as readonly string[]).includes(first) && path !== first ? `usr/${path}` : path;
}

/** Resolves a symbolic link's target to a path below the root. */
export function linkTarget(path: string, target: string): string {
  const absolute = target.startsWith("/") ? target : `${path.slice(0, path.lastIndexOf("/") + 1)}${target}`;
  return mergedPath(cleanPath(absolute));
}

/** The guest's root file system while it is put together: paths without a leading slash, after the usr-merge. */
export class Tree {
  readonly #nodes = new Map<string, TreeNode>();

  get size(): number {
    return this.#nodes.size;
  }

  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  paths(): IterableIterator<string> {
    return this.#nodes.keys();
  }

  set(path: string, node: TreeNode): void {
    this.#nodes.set(mergedPath(path), node);
  }

  file(path: string, data: Uint8Array | string, mode: number = 0o644): void {
    this.set(path, { type: "file", mode, data: typeof data === "string" ? Buffer.from(data) : data });
  }

  symlink(path: string, target: string): void {
    this.set(path, { type: "symlink", target });
  }

  directory(path: string, mode: number = 0o755): void {
    this.set(path, { type: "directory", mode });
  }

  /** The file behind a path, through symbolic links (in the last part of the path); undefined when it dangles. */
  resolve(path: string): { path: string; node: TreeNode } | undefined {
    let current = path;
    for (let hops = 0; hops < 16; hops++) {
      const node = this.#nodes.get(current);
      if (node === undefined) return undefined;
      if (node.type !== "symlink") return { path: current, node };
      current = linkTarget(current, node.target);
    }
    return undefined;
  }

  /** Every node by path, sorted, with the folders that files imply and the three usr-merge links. */
  entries(): [string, TreeNode][] {
    const all = new Map(this.#nodes);
    for (const name of MERGED) {
      all.set(name, { type: "symlink", target: `usr/${name}` });
      if (!all.has(`usr/${name}`)) all.set(`usr/${name}`, { type: "directory", mode: 0o755 });
    }
    const paths = [...all.keys()];
    for (const path of paths)
      for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
        const parent = path.slice(0, slash);
        if (!all.has(parent)) all.set(parent, { type: "directory", mode: 0o755 });
      }
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

import { GuestBuildError } from "../errors.ts";
import type { TreeNode } from "./tree.ts";

const TRAILER = "TRAILER!!!";
const TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

function member(path: string, inode: number, mode: number, data: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // "070701", then 13 fields of 8 hex digits: inode, mode, uid, gid, links, mtime, size, four device numbers, name size, check.
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, "0")).join("")}`);
  const padding = (length: number) => Buffer.alloc(-length & 3);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

/**
 * Writes a cpio archive in the "newc" format that Linux takes as an initramfs (Documentation: initramfs buffer format).
 * The caller's order is kept and must name folders before what is in them; times, owners and inodes are fixed, so
 * equal trees give equal bytes.
 * @throws GuestBuildError for a path or size that the kernel would read otherwise than it is meant
 */
export function writeCpio(entries: Iterable<[path: string, node: TreeNode]>): Buffer {
  const parts: Uint8Array[] = [];
  let inode = 1;
  for (const [path, node] of entries) {
    if (path === "" || path === TRAILER || path.includes("\0"))
      throw new GuestBuildError("image", `A file of the guest cannot have the path ${JSON.stringify(path)}.`);
    const data =
      node.type === "file"
        ? node.data
        : node.type === "symlink"
          ? Buffer.from(node.target)
          : new Uint8Array();
    if (data.length > 0xffffffff)
      throw new GuestBuildError("image", `The guest's file ${path} has ${data.length} bytes.`);
    const permissions = node.type === "symlink" ? 0o777 : node.mode;
    parts.push(...member(path, inode++, TYPE_BITS[node.type] | permissions, data));
  }
  parts.push(...member(TRAILER, 0, 0, new Uint8Array()));
  return Buffer.concat(parts);
}

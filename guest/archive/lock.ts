import { readFile } from "node:fs/promises";
import { GuestBuildError } from "../errors.ts";
import { writeAtomically } from "../files.ts";
import type { PackageRecord } from "./packages.ts";

/** A pinned package: exactly this file, wherever it is fetched from. */
export type LockedPackage = Pick<PackageRecord, "name" | "version" | "filename" | "size" | "sha256">;

/** The committed lock file: every package of every level, sorted by name. It names no host. */
export interface LockFile {
  format: 1;
  packages: LockedPackage[];
}

/** Reads the lock file; a missing one pins nothing. */
export async function readLock(path: string): Promise<LockFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return { format: 1, packages: [] };
  }
  const lock = JSON.parse(text) as Partial<LockFile>;
  if (lock.format !== 1 || !Array.isArray(lock.packages))
    throw new GuestBuildError(
      "package",
      `The lock file has an unknown format; delete it and build with --update-lock.`,
    );
  return { format: 1, packages: lock.packages };
}

/** Writes the pins of `records` as a lock file. */
export async function writeLock(path: string, records: Iterable<PackageRecord>): Promise<void> {
  const byName = new Map<string, LockedPackage>();
  for (const { name, version, filename, size, sha256 } of records)
    byName.set(name, { name, version, filename, size, sha256 });
  const packages = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  // One package per line: a changed version is a one-line diff.
  const lines = packages.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
  await writeAtomically(path, Buffer.from(`{\n  "format": 1,\n  "packages": [\n${lines}\n  ]\n}\n`));
}

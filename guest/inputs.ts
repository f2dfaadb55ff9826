import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { GuestBuildError } from "./errors.ts";
import { readBounded, sha256 } from "./files.ts";
import { MAX_PACKAGE_FILE_BYTES } from "./limits.ts";

/** Name of the lock file within the builder's folder. */
export const LOCK_FILE = "packages.lock.json";

/** Everything in the builder's folder that shapes a guest, read once: what is hashed is what is used. */
export interface BuildInputs {
  /** SHA-256 over builder, recipe, overlay and lock file. */
  id: string;
  lock: Buffer;
  /** The files of an overlay, by their path in the guest. */
  overlay(name: string): [path: string, data: Buffer][];
}

/** Reads a builder's folder. @throws GuestBuildError when it has no lock file */
export async function readInputs(folder: string): Promise<BuildInputs> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\.(?:test|testing)\.ts$|\.md$|^tsconfig/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const files = new Map<string, Buffer>();
  const hashes: string[] = [];
  for (const path of paths) {
    const name = path.slice(folder.length + 1).replaceAll("\\", "/");
    const data = await readBounded(path, MAX_PACKAGE_FILE_BYTES);
    files.set(name, data);
    hashes.push(`/${name} ${sha256(data)}`);
  }
  const lock = files.get(LOCK_FILE);
  if (lock === undefined)
    throw new GuestBuildError(
      "lock",
      `There is no ${LOCK_FILE} in ${folder}: nothing says which packages are the right ones. ` +
        `Get it back from version control, or make it anew: npm run guest -- --update-lock.`,
    );
  return {
    id: sha256(hashes.join("\n")),
    lock,
    overlay: (name) =>
      [...files]
        .filter(([path]) => path.startsWith(`overlay/${name}/`))
        .map(([path, data]) => [path.slice(`overlay/${name}/`.length), data]),
  };
}

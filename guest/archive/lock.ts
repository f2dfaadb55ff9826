import * as v from "valibot";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { sha256, writeAtomically } from "../files.ts";
import { type Level, LEVELS, type LevelRecipe } from "../levels.ts";
import { MAX_LOCK_BYTES } from "../limits.ts";
import { type PackageFile, PackageFileSchema } from "./packages.ts";

const Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

function isTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}

const LockSchema = v.strictObject({
  format: v.literal(2),
  /** What each level asked for when the file was made (`recipeDigest`). */
  recipes: v.record(v.picklist(LEVELS), Hex),
  /** The signed indexes that it was made from; none older is taken later. */
  suites: v.array(
    v.strictObject({
      suite: v.pipe(v.string(), v.regex(/^[a-z-]{1,64}$/)),
      // As it is written, so that no day that is none slips through: it would be older than nothing.
      date: v.pipe(
        v.string(),
        v.check((text) => isTime(text), "no point in time"),
      ),
    }),
  ),
  packages: v.array(
    v.strictObject({
      ...PackageFileSchema.entries,
      levels: v.pipe(v.array(v.picklist(LEVELS)), v.minLength(1)),
    }),
  ),
});

/** The committed lock file: every package of every level, exactly. It names no host. */
export type LockFile = v.InferOutput<typeof LockSchema>;

/** A pinned package: its file, and the levels that have it. */
export type LockedPackage = LockFile["packages"][number];

/** What of a recipe decides about packages, as a hash: a lock file is of one. */
export function recipeDigest({ roots, excludes }: Pick<LevelRecipe, "roots" | "excludes">): string {
  return sha256(JSON.stringify([roots, excludes]));
}

const REMEDY = "Get it back from version control, or make it anew: npm run guest -- --update-lock.";

/** Reads a lock file. @throws GuestBuildError `lock` when it is not one, to the last field */
export function parseLock(bytes: Uint8Array): LockFile {
  try {
    if (bytes.length > MAX_LOCK_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    const lock = v.parse(LockSchema, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    for (const key of ["name", "filename"] as const) {
      const values = lock.packages.map((entry) => `${key === "name" ? "" : entry.archive} ${entry[key]}`);
      const twice = values.find((value, i) => values.indexOf(value) !== i);
      if (twice !== undefined) throw new Error(`it has${twice.startsWith(" ") ? "" : " "}${twice} twice`);
    }
    return lock;
  } catch (error) {
    const where = v.isValiError(error) ? ` (${v.getDotPath(error.issues[0]) ?? "as a whole"})` : "";
    throw new GuestBuildError(
      "lock",
      `packages.lock.json cannot be used: ${reasonOf(error)}${where}. ${REMEDY}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The pinned packages of a level.
 * @throws GuestBuildError `lock` when the recipe asks for other packages than the lock file was made for.
 */
export function lockedPackages(lock: LockFile, level: Level, recipe: LevelRecipe): LockedPackage[] {
  if (lock.recipes[level] !== recipeDigest(recipe))
    throw new GuestBuildError(
      "lock",
      `packages.lock.json was made for another recipe of ${level} than levels.ts has. ` +
        `Make it anew: npm run guest -- --update-lock.`,
    );
  return lock.packages.filter(({ levels }) => levels.includes(level));
}

/** What a lock file is made of. */
export interface LockContents {
  recipes: LockFile["recipes"];
  suites: readonly { suite: string; dateMs: number }[];
  /** Packages by level; files of the same name are the same in all. */
  packages: Readonly<Record<Level, readonly PackageFile[]>>;
}

/** The lock file's text: sorted, and one package per line, so that a changed version is a one-line diff. */
export function formatLock({ recipes, suites, packages }: LockContents): string {
  const byName = new Map<string, LockedPackage>();
  for (const level of LEVELS)
    for (const { name, version, archive, filename, size, sha256: hash } of packages[level]) {
      const levels = [...(byName.get(name)?.levels ?? []), level];
      byName.set(name, { name, version, archive, filename, size, sha256: hash, levels });
    }
  const lines = (entries: readonly unknown[]) =>
    entries.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
  const dated = suites.map(({ suite, dateMs }) => ({ suite, date: new Date(dateMs).toISOString() }));
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `{\n  "format": 2,\n  "recipes": ${JSON.stringify(recipes)},\n`,
    `  "suites": [\n${lines(dated)}\n  ],\n  "packages": [\n${lines(sorted)}\n  ]\n}\n`,
  ].join("");
}

/** Writes a lock file, whole or not at all. */
export async function writeLock(path: string, contents: LockContents): Promise<void> {
  await writeAtomically(path, Buffer.from(formatLock(contents)));
}

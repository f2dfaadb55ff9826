import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Allowance } from "./allowances.ts";
import { readIndex } from "./archive/archive.ts";
import { closePackages } from "./archive/closure.ts";
import { HttpClient } from "./archive/http.ts";
import { type LockFile, lockedPackages, parseLock, recipeDigest, writeLock } from "./archive/lock.ts";
import { findMirror, findProxies } from "./archive/mirror.ts";
import type { PackageFile } from "./archive/packages.ts";
import { type FetchedPackage, fetchPackages, PackageGoneError } from "./archive/pool.ts";
import { ARCHIVE_KEYRINGS } from "./archive/signature.ts";
import type { ArchiveSource } from "./archive/source.ts";
import { GuestBuildError, reasonOf } from "./errors.ts";
import { Exceptions } from "./exceptions.ts";
import { readBounded } from "./files.ts";
import { assembleImage } from "./image/assemble.ts";
import { LOCK_FILE, readInputs } from "./inputs.ts";
import { type Level, type LevelRecipe, LEVELS, RECIPES } from "./levels.ts";
import { MAX_LOCK_BYTES } from "./limits.ts";
import { type GuestManifest, readManifest } from "./manifest.ts";
import { writeImage } from "./write-image.ts";

export { type Allowance, ALLOWANCE_NAMES, ALLOWANCES, allowOption } from "./allowances.ts";
export { GuestBuildError } from "./errors.ts";
export { type Level, LEVELS } from "./levels.ts";
export { type GuestFile, type GuestManifest, readManifest } from "./manifest.ts";

/** Progress of a build: bytes for `index` and `download`, packages for `unpack`, files for `write`. */
export interface GuestBuildProgress {
  stage: "index" | "download" | "unpack" | "write";
  done: number;
  total: number;
  /** What is being worked on, for example a package name. */
  detail?: string;
}

/** Where a build's packages come from, and where it is told of. */
export interface GuestSourceOptions {
  /** Root of a Debian mirror. @default DEBIAN_MIRROR, else the mirror that apt is set to */
  mirror?: string | undefined;
  /** Downloads, shared by all levels; kept between builds. */
  cacheDir: string;
  /** What is let pass that is refused otherwise. @default nothing */
  allow?: Iterable<Allowance> | undefined;
  onProgress(progress: GuestBuildProgress): void;
  /** A sentence that a person should see: an exception that was made use of, a library that is missing. */
  onNote(text: string): void;
}

/** What to build, from where, to where. */
export interface GuestBuildOptions extends GuestSourceOptions {
  level: Level;
  /** Built guests; the level gets its own folder in it. */
  outDir: string;
}

/** What a builder is made of; tests bring their own. */
export interface BuilderSetup {
  /** Holds the lock file and the overlays. */
  folder: string;
  recipes: Readonly<Record<Level, LevelRecipe>>;
  keyrings: readonly string[];
  /** This machine's time, in milliseconds since 1970. */
  now(): number;
}

const SETUP: BuilderSetup = {
  folder: dirname(fileURLToPath(import.meta.url)),
  recipes: RECIPES,
  keyrings: ARCHIVE_KEYRINGS,
  now: () => Date.now(),
};

async function withSource<T>(
  options: GuestSourceOptions,
  use: (source: ArchiveSource) => Promise<T>,
): Promise<T> {
  const mirror = await findMirror(options.mirror);
  const client = new HttpClient(await findProxies());
  try {
    return await use({
      client,
      mirror,
      cacheDir: options.cacheDir,
      onBytes: (done, total, detail) =>
        options.onProgress({ stage: detail.startsWith("index") ? "index" : "download", done, total, detail }),
      onNote: options.onNote,
    });
  } finally {
    await client.close();
  }
}

/** The exact files of the lock file, which need no index to be trusted; or, where that is allowed, newer ones of it. */
async function fetchLevel(
  source: ArchiveSource,
  lock: LockFile,
  level: Level,
  exceptions: Exceptions,
  { recipes, keyrings, now }: BuilderSetup,
): Promise<FetchedPackage[]> {
  const recipe = recipes[level];
  const pins = lockedPackages(lock, level, recipe);
  try {
    return await fetchPackages(source, pins);
  } catch (error) {
    if (!(error instanceof PackageGoneError)) throw error;
    const { name, version } = error.file;
    exceptions.except(
      "newer-packages",
      "package",
      `Package ${name} ${version} of ${LOCK_FILE} has left the mirror ${source.mirror.main}.`,
      "Take the archive's newest versions into the lock file (npm run guest -- --update-lock), or use a mirror that " +
        "still has it (--mirror URL).",
      { packageName: name, cause: error },
    );
    const index = await readIndex(source, { keyrings, nowMs: now(), locked: lock.suites, exceptions });
    const { roots, excludes } = recipe;
    const files = closePackages(index.packages, { roots, excludes, pins, exceptions });
    return await fetchPackages(source, files).catch((failure: unknown) => {
      throw failure instanceof PackageGoneError
        ? new GuestBuildError(
            "mirror",
            `The mirror's index has ${failure.file.name} ${failure.file.version}, but its pool does not. ` +
              `Try again later, or use another mirror (--mirror URL).`,
            { packageName: failure.file.name, cause: failure },
          )
        : failure;
    });
  }
}

/**
 * Builds a guest into `outDir/<level>`, or finds at once that the one there is of the same inputs and whole.
 * @throws GuestBuildError for everything a person can mend: no mirror, a failed download, a package that has changed.
 */
export async function buildGuest(
  options: GuestBuildOptions,
  setup: BuilderSetup = SETUP,
): Promise<GuestManifest> {
  const { level, outDir, onProgress, onNote } = options;
  const exceptions = new Exceptions(options.allow ?? [], onNote);
  const inputs = await readInputs(setup.folder);
  const present = await readManifest(join(outDir, level));
  const reusable =
    present?.inputsId === inputs.id &&
    present.level === level &&
    present.exceptions.every((name) => exceptions.allows(name));
  if (reusable) return present;

  const lock = parseLock(inputs.lock);
  const packages = await withSource(options, (source) => fetchLevel(source, lock, level, exceptions, setup));
  const recipe = setup.recipes[level];
  const image = await assembleImage(
    recipe,
    packages,
    (name) => inputs.overlay(name),
    (done, detail) => onProgress({ stage: "unpack", done, total: packages.length, detail }),
    onNote,
  ).catch((error: unknown) => {
    if (error instanceof GuestBuildError) throw error;
    throw new GuestBuildError("image", `The guest cannot be put together: ${reasonOf(error)}.`, {
      cause: error,
    });
  });
  onProgress({ stage: "write", done: 0, total: 1 });
  const manifest = await writeImage(outDir, image, {
    level,
    memoryMiB: recipe.memoryMiB,
    inputsId: inputs.id,
    exceptions: exceptions.used,
    packages: packages.map(({ file: { name, version } }) => ({ name, version })),
  });
  onProgress({ stage: "write", done: 1, total: 1 });
  return manifest;
}

/** What an old lock file says about age; one that is missing or of another format says nothing. */
async function lockedSuites(path: string, onNote: (text: string) => void): Promise<LockFile["suites"]> {
  try {
    return parseLock(await readBounded(path, MAX_LOCK_BYTES)).suites;
  } catch (error) {
    onNote(`The old ${LOCK_FILE} says nothing about how new the index must be: ${reasonOf(error)}`);
    return [];
  }
}

/**
 * Pins the newest versions of the signed index for all levels in the lock file; answers how many packages.
 * @throws GuestBuildError when the index is not signed, incomplete, or older than the one of the lock file.
 */
export async function updateLock(options: GuestSourceOptions, setup: BuilderSetup = SETUP): Promise<number> {
  const exceptions = new Exceptions(options.allow ?? [], options.onNote);
  const path = join(setup.folder, LOCK_FILE);
  const locked = await lockedSuites(path, options.onNote);
  const { keyrings } = setup;
  const { packages: index, suites } = await withSource(options, (source) =>
    readIndex(source, { keyrings, nowMs: setup.now(), locked, exceptions }),
  );
  const close = (level: Level): PackageFile[] => {
    const { roots, excludes } = setup.recipes[level];
    return closePackages(index, { roots, excludes, pins: [], exceptions });
  };
  const packages = { console: close("console"), desktop: close("desktop") };
  const recipes = {
    console: recipeDigest(setup.recipes.console),
    desktop: recipeDigest(setup.recipes.desktop),
  };
  // A suite that was left out this time keeps its date: what is older stays refused.
  const kept = locked
    .filter(({ suite }) => !suites.some((entry) => entry.suite === suite))
    .map(({ suite, date }) => ({ suite, dateMs: Date.parse(date) }));
  await writeLock(path, { recipes, suites: [...suites, ...kept], packages });
  return new Set(LEVELS.flatMap((level) => packages[level].map(({ name }) => name))).size;
}

import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Archive } from "./archive/archive.ts";
import { closePackages } from "./archive/closure.ts";
import { HttpClient } from "./archive/http.ts";
import { readLock, writeLock } from "./archive/lock.ts";
import { findMirror, findProxies } from "./archive/mirror.ts";
import type { PackageRecord } from "./archive/packages.ts";
import { GuestBuildError } from "./errors.ts";
import { sha256 } from "./files.ts";
import { assembleImage, type Image } from "./image/assemble.ts";
import { type Level, LEVELS, RECIPES } from "./levels.ts";
import { type GuestFile, type GuestManifest, MANIFEST_FILE, readManifest } from "./manifest.ts";

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

/** What to build, from where, to where. */
export interface GuestBuildOptions {
  level: Level;
  /** Root of a Debian mirror. @default DEBIAN_MIRROR, else the mirror that apt is set to */
  mirror?: string;
  /** Built guests; the level gets its own folder in it. */
  outDir: string;
  /** Downloads, shared by all levels; kept between builds. */
  cacheDir: string;
  onProgress(progress: GuestBuildProgress): void;
  /** A sentence that a person should see: a fallback taken, a check that was not possible. */
  onNote(text: string): void;
}

const GUEST_FOLDER = dirname(fileURLToPath(import.meta.url));
const OVERLAY_FOLDER = join(GUEST_FOLDER, "overlay");
const LOCK_PATH = join(GUEST_FOLDER, "packages.lock.json");

/** Hash over everything in this folder that shapes a guest: builder, recipe, overlay and lock file. */
async function hashInputs(): Promise<string> {
  const entries = await readdir(GUEST_FOLDER, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\.(?:test|testing)\.ts$|\.md$|^tsconfig/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const hashes: string[] = [];
  for (const path of paths) hashes.push(`${path.slice(GUEST_FOLDER.length)} ${sha256(await readFile(path))}`);
  return sha256(hashes.join("\n"));
}

/** Puts the level's files in place: a whole new folder takes the old one's name. */
async function writeImage(
  outDir: string,
  image: Image,
  level: Level,
  inputsId: string,
  packages: readonly PackageRecord[],
): Promise<GuestManifest> {
  const contents = {
    kernel: ["bzimage", image.kernel],
    initrd: ["initrd.cpio", image.initrd],
    bios: ["bios.bin", image.bios],
    vgaBios: ["vgabios-qxl.bin", image.vgaBios],
  } as const satisfies Record<string, readonly [string, Uint8Array]>;
  const describe = ([file, data]: readonly [string, Uint8Array]): GuestFile => ({
    file,
    size: data.length,
    sha256: sha256(data),
  });
  const machine = {
    kernel: describe(contents.kernel),
    initrd: describe(contents.initrd),
    bios: describe(contents.bios),
    vgaBios: describe(contents.vgaBios),
    cmdline: image.cmdline,
    memoryMiB: RECIPES[level].memoryMiB,
  };
  const manifest: GuestManifest = {
    format: 1,
    level,
    ...machine,
    buildId: sha256(JSON.stringify(machine)),
    inputsId,
    packages: packages.map(({ name, version }) => ({ name, version })),
  };

  const suffix = randomBytes(6).toString("hex");
  const fresh = join(outDir, `.${level}.${suffix}.new`);
  const old = join(outDir, `.${level}.${suffix}.old`);
  const final = join(outDir, level);
  try {
    await mkdir(fresh, { recursive: true });
    for (const [file, data] of Object.values(contents)) await writeFile(join(fresh, file), data);
    await writeFile(join(fresh, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await rename(final, old).catch(() => undefined);
    await rename(fresh, final);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
  return manifest;
}

async function openArchive(options: Omit<GuestBuildOptions, "level" | "outDir">): Promise<Archive> {
  const mirror = await findMirror(options.mirror);
  return new Archive(new HttpClient(await findProxies()), mirror, options.cacheDir, {
    onBytes: (done, total, detail) =>
      options.onProgress({ stage: detail.startsWith("index") ? "index" : "download", done, total, detail }),
    onNote: options.onNote,
  });
}

/**
 * Builds a guest into `outDir/<level>`, or finds at once that the one there is of the same inputs.
 * @throws GuestBuildError for everything a person can mend: no mirror, a failed download, a bad signature.
 */
export async function buildGuest(options: GuestBuildOptions): Promise<GuestManifest> {
  const { level, outDir, onProgress, onNote } = options;
  const inputsId = await hashInputs();
  const present = await readManifest(join(outDir, level));
  if (present?.inputsId === inputsId && present.level === level) return present;

  const recipe = RECIPES[level];
  const archive = await openArchive(options);
  const index = await archive.index();
  const { packages: pins } = await readLock(LOCK_PATH);
  const { packages, notes } = closePackages(index, { roots: recipe.roots, excludes: recipe.excludes, pins });
  for (const note of notes) onNote(note);
  const paths = await archive.fetch(packages);
  const fetched = packages.map((record, i) => ({ record, path: paths[i] }));
  const image = await assembleImage(
    recipe,
    fetched,
    OVERLAY_FOLDER,
    (done, detail) => onProgress({ stage: "unpack", done, total: packages.length, detail }),
    onNote,
  );
  onProgress({ stage: "write", done: 0, total: 1 });
  const manifest = await writeImage(outDir, image, level, inputsId, packages);
  onProgress({ stage: "write", done: 1, total: 1 });
  return manifest;
}

/** Pins the newest versions of the signed index for all levels in the committed lock file. */
export async function updateLock(options: Omit<GuestBuildOptions, "level" | "outDir">): Promise<number> {
  const index = await (await openArchive(options)).index();
  const records = new Map<string, PackageRecord>();
  for (const level of LEVELS) {
    const { roots, excludes } = RECIPES[level];
    for (const record of closePackages(index, { roots, excludes, pins: [] }).packages)
      records.set(record.name, record);
  }
  if (records.size === 0) throw new GuestBuildError("package", "The index has none of the packages.");
  await writeLock(LOCK_PATH, records.values());
  return records.size;
}

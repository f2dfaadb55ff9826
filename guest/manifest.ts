import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Level } from "./levels.ts";

/** A file of a built guest, beside its manifest. */
export interface GuestFile {
  /** Name within the level's folder. */
  file: string;
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
}

/** What a built guest is: `manifest.json` in its folder. */
export interface GuestManifest {
  format: 1;
  level: Level;
  /** A bzImage whose payload is plain (`kernel/bzimage.ts`). */
  kernel: GuestFile;
  /** Uncompressed newc cpio. */
  initrd: GuestFile;
  /** SeaBIOS. */
  bios: GuestFile;
  /** SeaBIOS's VGA BIOS for QXL. */
  vgaBios: GuestFile;
  /** Kernel command line that the guest needs. */
  cmdline: string;
  /** RAM that the guest needs, in MiB. */
  memoryMiB: number;
  /** SHA-256 over everything that the machine sees; equal inputs give equal ids. A saved state belongs to one. */
  buildId: string;
  /** SHA-256 over what the guest was built from: recipe, overlay, lock file, builder. */
  inputsId: string;
  packages: { name: string; version: string }[];
}

/** Name of the manifest within a level's folder. */
export const MANIFEST_FILE = "manifest.json";

/** Reads a level's manifest; undefined when there is none, it has another format, or a file of it is missing or short. */
export async function readManifest(folder: string): Promise<GuestManifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), "utf8")) as GuestManifest;
    if (manifest.format !== 1) return undefined;
    for (const { file, size } of [manifest.kernel, manifest.initrd, manifest.bios, manifest.vgaBios])
      if ((await stat(join(folder, file))).size !== size) return undefined;
    return manifest;
  } catch {
    return undefined;
  }
}

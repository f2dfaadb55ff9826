import { join } from "node:path";
import * as v from "valibot";
import { ALLOWANCE_NAMES } from "./allowances.ts";
import { isVerified, readBounded, sha256 } from "./files.ts";
import { LEVELS } from "./levels.ts";
import { MAX_MANIFEST_BYTES } from "./limits.ts";

const FileSchema = v.object({
  /** Name within the level's folder. */
  file: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{0,63}$/)),
  /** Bytes. */
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Lower-case hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/** A file of a built guest, beside its manifest. */
export type GuestFile = v.InferOutput<typeof FileSchema>;

const MachineEntries = {
  /** A bzImage whose payload is plain (`kernel/bzimage.ts`). */
  kernel: FileSchema,
  /** Uncompressed newc cpio. */
  initrd: FileSchema,
  /** SeaBIOS. */
  bios: FileSchema,
  /** SeaBIOS's VGA BIOS for QXL. */
  vgaBios: FileSchema,
  /** Kernel command line that the guest needs. */
  cmdline: v.string(),
  /** RAM that the guest needs, in MiB. */
  memoryMiB: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
};

const ManifestSchema = v.object({
  format: v.literal(1),
  level: v.picklist(LEVELS),
  ...MachineEntries,
  /** SHA-256 over everything that the machine sees; equal inputs give equal ids. A saved state belongs to one. */
  buildId: v.string(),
  /** SHA-256 over what the guest was built from: recipe, overlay, lock file, builder. */
  inputsId: v.string(),
  /** What was let pass in its build that is refused by default; such a guest is taken again only under the same. */
  exceptions: v.array(v.picklist(ALLOWANCE_NAMES)),
  packages: v.array(v.object({ name: v.string(), version: v.string() })),
});

/** What a built guest is: `manifest.json` in its folder. */
export type GuestManifest = v.InferOutput<typeof ManifestSchema>;

/** The part of a manifest that the machine sees. */
export type GuestMachine = Pick<GuestManifest, keyof typeof MachineEntries>;

/** Name of the manifest within a level's folder. */
export const MANIFEST_FILE = "manifest.json";

/** The id of a machine: `buildId`. */
export function machineId({ kernel, initrd, bios, vgaBios, cmdline, memoryMiB }: GuestMachine): string {
  const plain = ({ file, size, sha256: hash }: GuestFile) => ({ file, size, sha256: hash });
  return sha256(
    JSON.stringify({
      kernel: plain(kernel),
      initrd: plain(initrd),
      bios: plain(bios),
      vgaBios: plain(vgaBios),
      cmdline,
      memoryMiB,
    }),
  );
}

/**
 * Reads a level's manifest. Undefined when there is none, when it is not one to the last field, or when a file of it is
 * not the one that it names by SHA-256.
 */
export async function readManifest(folder: string): Promise<GuestManifest | undefined> {
  try {
    const bytes = await readBounded(join(folder, MANIFEST_FILE), MAX_MANIFEST_BYTES);
    const manifest = v.parse(ManifestSchema, JSON.parse(bytes.toString("utf8")));
    if (manifest.buildId !== machineId(manifest)) return undefined;
    for (const file of [manifest.kernel, manifest.initrd, manifest.bios, manifest.vgaBios])
      if (!(await isVerified(join(folder, file.file), file))) return undefined;
    return manifest;
  } catch {
    return undefined;
  }
}

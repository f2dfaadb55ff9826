import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "./files.ts";
import type { Image } from "./image/assemble.ts";
import { type GuestFile, type GuestManifest, machineId, MANIFEST_FILE } from "./manifest.ts";

/** What a manifest says beside the machine itself. */
export type ImageOrigin = Pick<GuestManifest, "level" | "memoryMiB" | "inputsId" | "exceptions" | "packages">;

/** Puts a level's files in place: a whole new folder takes the old one's name. */
export async function writeImage(outDir: string, image: Image, origin: ImageOrigin): Promise<GuestManifest> {
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
    memoryMiB: origin.memoryMiB,
  };
  const { level, inputsId, exceptions, packages } = origin;
  const manifest: GuestManifest = {
    format: 1,
    level,
    ...machine,
    buildId: machineId(machine),
    inputsId,
    exceptions,
    packages,
  };

  const suffix = randomBytes(6).toString("hex");
  const fresh = join(outDir, `.${level}.${suffix}.new`);
  const old = join(outDir, `.${level}.${suffix}.old`);
  const final = join(outDir, level);
  try {
    await mkdir(fresh, { recursive: true });
    for (const [file, data] of Object.values(contents))
      await writeFile(join(fresh, file), data, { flag: "wx" });
    await writeFile(join(fresh, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`, {
      flag: "wx",
    });
    await rename(final, old).catch(() => undefined);
    await rename(fresh, final);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
  return manifest;
}

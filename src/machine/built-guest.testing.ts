/** The guest that `npm run guest` built, for tests that boot it. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseManifest } from "./guest-files.ts";
import type { GuestFile, GuestManifest } from "./guest-files.ts";
import { loadWasm } from "./machine.testing.ts";
import type { Machine, MachineOptions } from "./machine.ts";

const folder = (level: string): string =>
  fileURLToPath(new URL(`../../build/guest/${level}/`, import.meta.url));

/** Why tests that boot `level` cannot run, or undefined if they can. */
export const whyNoGuest = (level: string): string | undefined => {
  if (process.env.SPICETAB_BOOT !== "1") return "set SPICETAB_BOOT=1 to boot real guests (slow)";
  if (!existsSync(`${folder(level)}manifest.json`)) return `guest ${level} is not built: npm run guest`;
  return undefined;
};

export interface BuiltGuest {
  readonly manifest: GuestManifest;
  /** Machine options out of the manifest; kernel and initrd are read when asked for. */
  readonly options: Pick<
    MachineOptions,
    "level" | "buildId" | "memoryMiB" | "bios" | "vgaBios" | "kernel" | "loadWasm"
  >;
}

/** Reads a built guest. */
export const readBuiltGuest = (level: string): BuiltGuest => {
  const read = (file: string): ArrayBuffer => new Uint8Array(readFileSync(folder(level) + file)).buffer;
  const of = ({ file }: GuestFile): ArrayBuffer => read(file);
  const manifest = parseManifest(JSON.parse(readFileSync(`${folder(level)}manifest.json`, "utf8")));
  const { buildId, memoryMiB, cmdline } = manifest;
  return {
    manifest,
    options: {
      level,
      buildId,
      memoryMiB,
      bios: of(manifest.bios),
      vgaBios: of(manifest.vgaBios),
      kernel: async () => ({ kernel: of(manifest.kernel), initrd: of(manifest.initrd), cmdline }),
      loadWasm,
    },
  };
};

/** Waits for a guest to do something; says what did not happen, and the end of its serial log. */
export const until = async (
  done: () => boolean,
  { what, serial, seconds = 180 }: { what: string; serial?: () => string; seconds?: number },
): Promise<void> => {
  const deadline = performance.now() + seconds * 1000;
  while (!done()) {
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${seconds} s. Serial log ends:\n${serial?.().slice(-1500) ?? ""}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** Runs a shell command on the guest's serial console and waits until what it prints matches. */
export const shell = async (machine: Machine, command: string, output: RegExp): Promise<void> => {
  const before = machine.serial.tail.length;
  machine.serialSend(`${command}\n`);
  await until(() => output.test(machine.serial.tail.slice(before)), {
    what: `output ${output} of "${command}"`,
    serial: () => machine.serial.tail,
  });
};

/** The guest that `npm run guest` built, for tests that boot it. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseManifest } from "./guest-files.ts";
import type { GuestFile, GuestManifest } from "./guest-files.ts";
import { loadWasm } from "./machine.testing.ts";
import type { Machine, MachineOptions } from "./machine.ts";
import { eventually } from "../waiting.testing.ts";

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

/** Milliseconds that a guest has for what it does in seconds on a quiet machine. */
export const GUEST_DEADLINE_MS = 180_000;

/** What is waited for, and the end of the guest's serial log, for whoever finds that it did not come about. */
export const withSerial = (what: string, serial: () => string) => (): string =>
  `${what}. The serial log ends:\n${serial().slice(-1500)}`;

/** Runs a shell command on the guest's serial console and waits until what it prints matches. */
export const shell = async (machine: Machine, command: string, output: RegExp): Promise<void> => {
  const before = machine.serial.tail.length;
  machine.serialSend(`${command}\n`);
  const what = withSerial(`output ${output} of "${command}"`, () => machine.serial.tail);
  await eventually(() => output.test(machine.serial.tail.slice(before)), what, GUEST_DEADLINE_MS);
};

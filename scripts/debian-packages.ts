import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Installs Debian packages that the project uses, where it may: as root, or with a sudo that asks nothing.
 * @param say where progress goes
 * @returns whether they are installed now
 */
export function installDebianPackages(names: readonly string[], say: (line: string) => void): boolean {
  const asRoot = process.getuid?.() === 0;
  if (!isOnPath("apt-get") || (!asRoot && !isOnPath("sudo"))) return false;
  const apt = (...args: readonly string[]): boolean => {
    const command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    const [program, ...rest] = asRoot ? command : ["sudo", "-n", ...command];
    return spawnSync(program, rest, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
  };
  say(`Installing ${names.join(" ")} (Debian packages) …`);
  // The list of packages may be missing or old; an update that fails in part is still good enough for the rest.
  apt("update", "-q");
  return apt("install", "-y", "-q", "--no-install-recommends", ...names);
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

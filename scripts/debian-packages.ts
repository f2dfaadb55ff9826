import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Packages that bring a server of this name, which Debian would start and enable: we run the programs ourselves. */
const SERVICES: Readonly<Record<string, string>> = { "nginx-light": "nginx", nginx: "nginx", caddy: "caddy" };

/**
 * Installs Debian packages that the project uses, where it may: as root, or with a sudo that asks nothing. No service is left running
 * or enabled by it.
 * @param say where progress goes
 * @returns whether they are installed now
 */
export function installDebianPackages(names: readonly string[], say: (line: string) => void): boolean {
  const asRoot = process.getuid?.() === 0;
  if (!isOnPath("apt-get") || (!asRoot && !isOnPath("sudo"))) return false;
  const run = (...command: readonly string[]): boolean => {
    const [program, ...rest] = asRoot ? command : ["sudo", "-n", ...command];
    return spawnSync(program, rest, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
  };
  // Runlevel 1 is single user: without systemd, no package starts a service then (invoke-rc.d).
  const apt = (...args: readonly string[]): boolean =>
    run("env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", ...args);
  say(`Installing ${names.join(" ")} (Debian packages) …`);
  // The list of packages may be missing or old; an update that fails in part is still good enough for the rest.
  apt("update", "-q");
  const services = [...new Set(names.flatMap((name) => SERVICES[name] ?? []))].map(
    (name) => `${name}.service`,
  );
  const hasSystemd = services.length > 0 && existsSync("/run/systemd/system");
  // A masked service is not started by its installation; it was not there before, so nobody's choice is undone.
  if (hasSystemd) run("systemctl", "mask", "--runtime", ...services);
  const done = apt("install", "-y", "-q", "--no-install-recommends", ...names);
  if (hasSystemd) {
    run("systemctl", "unmask", "--runtime", ...services);
    run("systemctl", "disable", ...services);
  }
  return done;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

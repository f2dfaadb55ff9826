import { GuestBuildError } from "../errors.ts";
import type { LockedPackage } from "./lock.ts";
import type { PackageIndex, PackageRecord } from "./packages.ts";

/** What a level asks of the archive. */
export interface ClosureRequest {
  /** Package names; one `*` stands for digits (a kernel's ABI number), the newest match is taken. */
  roots: readonly string[];
  /** Names, or prefixes ending in `*`, which are never taken and whose dependants do without. */
  excludes: readonly string[];
  pins: readonly LockedPackage[];
}

/** The packages of a level, by name, and what a reader of the build log should know. */
export interface Closure {
  packages: PackageRecord[];
  notes: string[];
}

function excluder(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
  const prefixes = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * Closes `roots` over Depends and Pre-Depends: the first alternative that is not excluded, nothing when one is
 * already in, virtual packages through Provides. A pinned version that the index still has is taken, otherwise the
 * newest, with a note.
 * @throws GuestBuildError when a root is in no index.
 */
export function closePackages(index: PackageIndex, request: ClosureRequest): Closure {
  const excluded = excluder(request.excludes);
  const pins = new Map(request.pins.map((pin) => [pin.name, pin]));
  const chosen = new Map<string, PackageRecord>();
  const notes: string[] = [];

  const choose = (name: string): PackageRecord | undefined => {
    const versions = index.versions(name);
    const pin = pins.get(name);
    const pinned = versions.find(
      (record) => record.version === pin?.version && record.sha256 === pin?.sha256,
    );
    if (pinned !== undefined || versions.length === 0) return pinned;
    if (pin !== undefined)
      notes.push(
        `${name} ${pin.version} has left the archive; using ${versions[0].version} of the signed index.`,
      );
    else if (pins.size > 0) notes.push(`${name} is not in the lock file; using ${versions[0].version}.`);
    return versions[0];
  };

  const expandRoot = (root: string): string => {
    if (!root.includes("*")) return root;
    const [head, tail] = root.split("*", 2);
    const matches = (name: string) =>
      name.startsWith(head) &&
      name.endsWith(tail) &&
      /^\d+$/.test(name.slice(head.length, name.length - tail.length));
    const pinned = [...pins.keys()].find((name) => matches(name) && index.versions(name).length > 0);
    if (pinned !== undefined) return pinned;
    const number = (name: string) => Number(name.slice(head.length, name.length - tail.length));
    const newest = index
      .names()
      .filter(matches)
      .sort((a, b) => number(b) - number(a))[0];
    const old = [...pins.keys()].find(matches);
    if (newest !== undefined && old !== undefined)
      notes.push(`${old} has left the archive; using ${newest}.`);
    return newest ?? root;
  };

  const satisfied = (name: string) =>
    chosen.has(name) || index.providers(name).some((provider) => chosen.has(provider));

  const queue: PackageRecord[] = [];
  const take = (record: PackageRecord) => {
    if (chosen.has(record.name)) return;
    chosen.set(record.name, record);
    queue.push(record);
  };

  for (const root of request.roots) {
    const name = expandRoot(root);
    const record = choose(name);
    if (record === undefined)
      throw new GuestBuildError("package", `No package ${name} in the archive's index for i386.`, {
        packageName: name,
      });
    take(record);
  }
  for (let record = queue.shift(); record !== undefined; record = queue.shift()) {
    for (const alternatives of record.depends) {
      if (alternatives.some(satisfied)) continue;
      for (const name of alternatives) {
        if (excluded(name)) continue;
        const real =
          index.versions(name).length > 0
            ? name
            : index.providers(name).find((provider) => !excluded(provider));
        const dependency = real === undefined ? undefined : choose(real);
        if (dependency === undefined) continue;
        take(dependency);
        break;
      }
    }
  }
  return { packages: [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), notes };
}

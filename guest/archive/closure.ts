import { GuestBuildError } from "../errors.ts";
import type { Exceptions } from "../exceptions.ts";
import { checkPackageFile, type PackageFile, type PackageIndex, type PackageRecord } from "./packages.ts";
import { compareVersions } from "./version.ts";

/** What a level asks of the archive. */
export interface ClosureRequest {
  /** Package names; one `*` stands for digits (a kernel's ABI number), the newest match is taken. */
  roots: readonly string[];
  /** Names, or prefixes ending in `*`, which are never taken and whose dependants do without. */
  excludes: readonly string[];
  /** Exactly these files are to be taken. Without any, whatever is newest is. */
  pins: readonly PackageFile[];
  /** Asked before another file than a pinned one is taken. */
  exceptions: Exceptions;
}

function excluder(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
  const prefixes = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * Closes `roots` over Depends and Pre-Depends: the first alternative that is not excluded, nothing when one is
 * already in, virtual packages through Provides. Sorted by name.
 * @throws GuestBuildError when a root is in no index; when a pinned file is not in the index, unless newer packages are
 * allowed; when the index has another file of the same version; when it has only older ones, unless that is allowed.
 */
export function closePackages(index: PackageIndex, request: ClosureRequest): PackageRecord[] {
  const excluded = excluder(request.excludes);
  const pins = new Map(request.pins.map((pin) => [pin.name, pin]));
  const chosen = new Map<string, PackageRecord>();
  const { exceptions } = request;
  const remedy = "Take what the index has into packages.lock.json (npm run guest -- --update-lock).";

  const choose = (name: string): PackageRecord | undefined => {
    const versions = index.versions(name);
    const pin = pins.get(name);
    const same = versions.find((record) => record.version === pin?.version && record.sha256 === pin.sha256);
    if (same !== undefined || versions.length === 0) return same;
    const [newest] = versions;
    if (pin === undefined) {
      if (pins.size > 0)
        exceptions.except(
          "newer-packages",
          "lock",
          `${name} ${newest.version} is needed but not in packages.lock.json.`,
          remedy,
          { packageName: name },
        );
      return newest;
    }
    if (versions.some(({ version }) => version === pin.version))
      throw new GuestBuildError(
        "package",
        `The index has another file for ${name} ${pin.version} than packages.lock.json, which no archive does in good ` +
          `faith. Use another mirror (--mirror URL); if you know why, update the lock file (npm run guest -- --update-lock).`,
        { packageName: name },
      );
    if (compareVersions(newest.version, pin.version) < 0)
      exceptions.except(
        "stale-index",
        "stale",
        `The index has ${name} ${newest.version}, older than ${pin.version} of packages.lock.json.`,
        "Use another mirror (--mirror URL).",
        { packageName: name },
      );
    exceptions.except(
      "newer-packages",
      "package",
      `${name} ${pin.version} of packages.lock.json is not in the index any more, which has ${newest.version}.`,
      remedy,
      { packageName: name },
    );
    return newest;
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
    const [newest] = index
      .names()
      .filter(matches)
      .sort((a, b) => number(b) - number(a));
    const old = [...pins.keys()].find(matches);
    if (newest !== undefined && old !== undefined && number(newest) < number(old))
      exceptions.except(
        "stale-index",
        "stale",
        `The index has ${newest}, older than ${old} of packages.lock.json.`,
        "Use another mirror (--mirror URL).",
        { packageName: old },
      );
    return newest ?? root;
  };

  const satisfied = (name: string) =>
    chosen.has(name) || index.providers(name).some((provider) => chosen.has(provider));

  const queue: PackageRecord[] = [];
  const take = (record: PackageRecord) => {
    if (chosen.has(record.name)) return;
    checkPackageFile(record);
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
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

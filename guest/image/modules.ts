import { GuestBuildError } from "../errors.ts";
import { readSections } from "./elf.ts";

/** Modules are named with either sign in files, `depends` and on command lines. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}

/** The name a `.ko` path gives its module. */
export function moduleName(path: string): string {
  return canonical(path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, ""));
}

/** Reads `depends=` out of a module's `.modinfo` section (NUL-separated `key=value`). */
export function readModuleDepends(ko: Uint8Array): string[] {
  const section = readSections(ko).find(({ name }) => name === ".modinfo");
  if (section === undefined) throw new Error("no .modinfo section");
  const text = Buffer.from(ko.subarray(section.offset, section.offset + section.size)).toString("latin1");
  const depends = text.split("\0").find((entry) => entry.startsWith("depends="));
  return (depends ?? "depends=")
    .slice(8)
    .split(",")
    .filter((name) => name !== "")
    .map(canonical);
}

/** The modules of a kernel package by name. */
export type ModuleFiles = ReadonlyMap<string, { path: string; data: Uint8Array }>;

/**
 * Orders `wanted` and all they depend on so that each comes after its dependencies: the order for insmod.
 * @param builtin names that the kernel holds already (modules.builtin).
 */
export function orderModules(
  wanted: readonly string[],
  files: ModuleFiles,
  builtin: ReadonlySet<string>,
): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (raw: string, by: string) => {
    const name = canonical(raw);
    if (seen.has(name) || builtin.has(name)) return;
    seen.add(name);
    const file = files.get(name);
    if (file === undefined)
      throw new GuestBuildError("image", `The kernel has no module ${name}, which ${by} needs.`);
    for (const dependency of readModuleDepends(file.data)) visit(dependency, name);
    order.push(name);
  };
  for (const name of wanted) visit(name, "the recipe");
  return order;
}

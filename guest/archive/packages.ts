import * as v from "valibot";
import { GuestBuildError } from "../errors.ts";
import { MAX_PACKAGE_BYTES } from "../limits.ts";
import { parseParagraphs } from "./control.ts";
import { compareVersions } from "./version.ts";

/**
 * Exactly one file, wherever it is fetched from. Names and versions as Debian Policy 5.6 has them; the path has neither
 * `..` nor anything that means something else in an address or a file system.
 */
export const PackageFileSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9+.-]{1,127}$/)),
  version: v.pipe(v.string(), v.regex(/^[0-9A-Za-z.+~:-]{1,127}$/)),
  /** Which archive has it: decides which mirror it is fetched from. */
  archive: v.picklist(["main", "security"]),
  /** Path below the mirror's root. */
  filename: v.pipe(v.string(), v.maxLength(512), v.regex(/^pool(?:\/[A-Za-z0-9][A-Za-z0-9+._~-]*)+\.deb$/)),
  /** Bytes of the .deb. */
  size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PACKAGE_BYTES)),
  /** Lower-case hex over the .deb. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/** What is fetched and verified of a package. */
export type PackageFile = v.InferOutput<typeof PackageFileSchema>;

/** A package of a signed index. */
export interface PackageRecord extends PackageFile {
  /** Depends and Pre-Depends: every entry is a list of alternatives, without versions and architectures. */
  depends: string[][];
  provides: string[];
}

/** Refuses a record whose name, version, path, size or hash cannot be. @throws GuestBuildError */
export function checkPackageFile(file: PackageFile): void {
  const result = v.safeParse(PackageFileSchema, file);
  if (result.success) return;
  const [issue] = result.issues;
  throw new GuestBuildError(
    "package",
    `The index has the package ${JSON.stringify(file.name)} with an impossible ${v.getDotPath(issue) ?? "entry"}: ${issue.message}.`,
    { packageName: file.name },
  );
}

const FIELDS = new Set([
  "Package",
  "Version",
  "Filename",
  "Size",
  "SHA256",
  "Depends",
  "Pre-Depends",
  "Provides",
]);

function bareName(dependency: string): string {
  return dependency.trim().replace(/[\s(:[].*$/s, "");
}

/** Reads a Depends line: `a (>= 1) | b:any, c` becomes `[["a", "b"], ["c"]]`. */
export function parseDependencies(line: string): string[][] {
  return line
    .split(",")
    .map((entry) =>
      entry
        .split("|")
        .map(bareName)
        .filter((name) => name !== ""),
    )
    .filter((alternatives) => alternatives.length > 0);
}

/** Reads a Packages index; paragraphs without a file (never in Debian's) are left out. */
export function parsePackages(text: string, archive: PackageRecord["archive"]): PackageRecord[] {
  const records: PackageRecord[] = [];
  for (const paragraph of parseParagraphs(text, FIELDS)) {
    const name = paragraph.get("Package");
    const version = paragraph.get("Version");
    const filename = paragraph.get("Filename");
    const sha256 = paragraph.get("SHA256");
    if (name === undefined || version === undefined || filename === undefined || sha256 === undefined)
      continue;
    records.push({
      name,
      version,
      filename,
      sha256: sha256.toLowerCase(),
      size: Number(paragraph.get("Size")),
      archive,
      depends: [
        ...parseDependencies(paragraph.get("Pre-Depends") ?? ""),
        ...parseDependencies(paragraph.get("Depends") ?? ""),
      ],
      provides: parseDependencies(paragraph.get("Provides") ?? "").flat(),
    });
  }
  return records;
}

/** Every version of every package that the signed indexes name. */
export class PackageIndex {
  readonly #byName = new Map<string, PackageRecord[]>();
  readonly #providers = new Map<string, string[]>();

  constructor(records: Iterable<PackageRecord>) {
    for (const record of records) {
      const versions = this.#byName.get(record.name);
      if (versions === undefined) this.#byName.set(record.name, [record]);
      else versions.push(record);
      for (const virtual of record.provides) {
        const names = this.#providers.get(virtual);
        if (names === undefined) this.#providers.set(virtual, [record.name]);
        else if (!names.includes(record.name)) names.push(record.name);
      }
    }
    for (const versions of this.#byName.values())
      versions.sort((a, b) => compareVersions(b.version, a.version));
    for (const names of this.#providers.values()) names.sort();
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** All versions, newest first. */
  versions(name: string): readonly PackageRecord[] {
    return this.#byName.get(name) ?? [];
  }

  /** Packages that provide a virtual one, by name. */
  providers(virtual: string): readonly string[] {
    return this.#providers.get(virtual) ?? [];
  }
}

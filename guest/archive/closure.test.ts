import { expect, test } from "vitest";
import type { Allowance } from "../allowances.ts";
import { GuestBuildError } from "../errors.ts";
import { allowing } from "./archive.testing.ts";
import { closePackages } from "./closure.ts";
import { type PackageFile, PackageIndex, parsePackages } from "./packages.ts";

function packages(text: string): PackageIndex {
  const stanzas = text
    .split("\n\n")
    .map(
      (stanza, i) => `${stanza.trim()}\nFilename: pool/${i}.deb\nSize: 1\nSHA256: ${"0".repeat(63)}${i % 10}`,
    );
  return new PackageIndex(parsePackages(stanzas.join("\n\n"), "main"));
}

const INDEX = packages(`Package: app
Version: 1
Depends: lib (>= 1), editor | pager, mail-agent

Package: lib
Version: 1
Pre-Depends: libc

Package: lib
Version: 2
Depends: libc:any (>= 2)

Package: libc
Version: 1

Package: editor
Version: 1

Package: pager
Version: 1

Package: postfix
Version: 1
Provides: mail-agent (= 1)

Package: linux-6.1.0-9-686
Version: 6.1.9-1

Package: linux-6.1.0-50-686
Version: 6.1.50-1

Package: linux-6.1.0-50-rt-686
Version: 6.1.50-1`);

const names = (roots: string[], excludes: string[] = []) =>
  closePackages(INDEX, { roots, excludes, pins: [], ...allowing() }).map(
    ({ name, version }) => `${name} ${version}`,
  );

/** The closure of pinned packages, under these allowances. */
const pinned = (root: string, pins: PackageFile[], ...allow: Allowance[]) => {
  const { exceptions, notes } = allowing(...allow);
  const packages = closePackages(INDEX, { roots: [root], excludes: [], pins, exceptions });
  return {
    packages: packages.map(({ name, version }) => `${name} ${version}`),
    notes,
    used: exceptions.used,
  };
};

test("dependencies follow: newest version, first alternative, virtual packages through Provides", () => {
  expect(names(["app"])).toEqual(["app 1", "editor 1", "lib 2", "libc 1", "postfix 1"]);
});

test("excluded packages are never taken, the next alternative is", () => {
  expect(names(["app"], ["editor", "post*"])).toEqual(["app 1", "lib 2", "libc 1", "pager 1"]);
});

test("no alternative is taken when one is already in", () => {
  expect(names(["pager", "app"])).toEqual(["app 1", "lib 2", "libc 1", "pager 1", "postfix 1"]);
});

test("a star in a root takes the highest number", () => {
  expect(names(["linux-6.1.0-*-686"])).toEqual(["linux-6.1.0-50-686 6.1.50-1"]);
});

test("a pinned version wins over a newer one while the index has it", () => {
  const [, old] = INDEX.versions("lib");
  const closure = pinned("lib", [old, INDEX.versions("libc")[0]]);
  expect(closure).toEqual({ packages: ["lib 1", "libc 1"], notes: [], used: [] });
});

const [LIBC] = INDEX.versions("libc");

test("a pin that has left the archive stops the build, and names the option that takes the newest", () => {
  const gone = { ...LIBC, version: "0.9", sha256: "f".repeat(64) };
  expect(() => pinned("libc", [gone])).toThrow(
    expect.objectContaining({
      allowedBy: "newer-packages",
      message: expect.stringMatching(/^libc 0.9 .*--allow-newer-packages/) as string,
    }),
  );
  const closure = pinned("libc", [gone], "newer-packages");
  expect(closure).toMatchObject({ packages: ["libc 1"], used: ["newer-packages"] });
  expect(closure.notes).toEqual([expect.stringContaining("libc 0.9")]);
});

test("a package that is needed but not pinned stops the build likewise", () => {
  const [lib] = INDEX.versions("lib");
  expect(() => pinned("lib", [lib])).toThrow(/libc 1 is needed but not in packages.lock.json/);
  expect(pinned("lib", [lib], "newer-packages").packages).toEqual(["lib 2", "libc 1"]);
});

test("another file of the pinned version is refused, whatever is allowed", () => {
  const forged = { ...LIBC, sha256: "f".repeat(64) };
  expect(() => pinned("libc", [forged], "newer-packages", "stale-index")).toThrow(/another file for libc 1/);
});

test("an index with only older versions than the pinned one needs its own permission", () => {
  const newer = { ...LIBC, version: "2", sha256: "f".repeat(64) };
  expect(() => pinned("libc", [newer], "newer-packages")).toThrow(
    expect.objectContaining({ code: "stale", allowedBy: "stale-index" }),
  );
  expect(pinned("libc", [newer], "newer-packages", "stale-index").packages).toEqual(["libc 1"]);
});

test("an older kernel than the pinned one needs it too, though its name is another", () => {
  const newer = { ...LIBC, name: "linux-6.1.0-51-686", version: "6.1.51-1" };
  expect(() => pinned("linux-6.1.0-*-686", [newer], "newer-packages")).toThrow(
    /older than linux-6.1.0-51-686/,
  );
});

test("a record with an impossible path, size or hash is not taken", () => {
  for (const change of [
    { filename: "pool/../../../etc/passwd.deb" },
    { filename: "pool/a b.deb" },
    { filename: "http://elsewhere/x.deb" },
    { size: Number.NaN },
    { size: 2 ** 40 },
    { sha256: "0" },
    { name: "../x" },
  ]) {
    const index = new PackageIndex([{ ...LIBC, ...change }]);
    const close = () =>
      closePackages(index, { roots: [change.name ?? "libc"], excludes: [], pins: [], ...allowing() });
    expect(close, JSON.stringify(change)).toThrow(GuestBuildError);
  }
});

test("a missing root names itself", () => {
  const close = () => closePackages(INDEX, { roots: ["nothing"], excludes: [], pins: [], ...allowing() });
  expect(close).toThrow(GuestBuildError);
  expect(close).toThrow(/No package nothing/);
});

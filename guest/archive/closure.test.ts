import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { closePackages } from "./closure.ts";
import { PackageIndex, parsePackages } from "./packages.ts";

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
  closePackages(INDEX, { roots, excludes, pins: [] }).packages.map(
    ({ name, version }) => `${name} ${version}`,
  );

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
  const closure = closePackages(INDEX, {
    roots: ["lib"],
    excludes: [],
    pins: [old, INDEX.versions("libc")[0]],
  });
  expect(closure.packages.map(({ version }) => version)).toEqual(["1", "1"]);
  expect(closure.notes).toEqual([]);
});

test("a pin that has left the archive falls to the newest version with a note", () => {
  const [current] = INDEX.versions("libc");
  const gone = { ...current, version: "0.9", sha256: "f".repeat(64) };
  const closure = closePackages(INDEX, { roots: ["libc"], excludes: [], pins: [gone] });
  expect(closure.packages).toEqual([current]);
  expect(closure.notes).toEqual(["libc 0.9 has left the archive; using 1 of the signed index."]);
});

test("a pin with the right version and another hash is not taken for the same package", () => {
  const forged = { ...INDEX.versions("libc")[0], sha256: "f".repeat(64) };
  expect(closePackages(INDEX, { roots: ["libc"], excludes: [], pins: [forged] }).notes).toHaveLength(1);
});

test("a missing root names itself", () => {
  const close = () => closePackages(INDEX, { roots: ["nothing"], excludes: [], pins: [] });
  expect(close).toThrow(GuestBuildError);
  expect(close).toThrow(/No package nothing/);
});

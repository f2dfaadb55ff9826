import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { LEVELS, RECIPES } from "../levels.ts";
import { formatLock, lockedPackages, parseLock } from "./lock.ts";
import type { PackageFile } from "./packages.ts";

const committed = () => readFile(new URL("../packages.lock.json", import.meta.url));

test("the committed lock file is of the recipes, and names all that is needed to fetch and check", async () => {
  const lock = parseLock(await committed());
  for (const level of LEVELS) {
    const packages = lockedPackages(lock, level, RECIPES[level]);
    for (const root of RECIPES[level].roots.filter((name) => !name.includes("*")))
      expect(packages.map(({ name }) => name)).toContain(root);
  }
  expect(lock.suites.map(({ suite }) => suite)).toContain("bookworm");
});

test("a lock file that is read and written is the same, so a diff shows what changed", async () => {
  const bytes = await committed();
  const lock = parseLock(bytes);
  const of = (level: "console" | "desktop") => lock.packages.filter(({ levels }) => levels.includes(level));
  const text = formatLock({
    recipes: lock.recipes,
    suites: lock.suites.map(({ suite, date }) => ({ suite, dateMs: Date.parse(date) })),
    packages: { console: of("console"), desktop: of("desktop") },
  });
  expect(text).toBe(bytes.toString());
});

test("a changed recipe asks for a new lock file", async () => {
  const lock = parseLock(await committed());
  const changed = { ...RECIPES.console, roots: [...RECIPES.console.roots, "hello"] };
  expect(() => lockedPackages(lock, "console", changed)).toThrow(/--update-lock/);
});

test("a package of both levels is one entry", () => {
  const file: PackageFile = {
    name: "tool",
    version: "1",
    archive: "main",
    filename: "pool/main/t/tool/tool_1_i386.deb",
    size: 1,
    sha256: "0".repeat(64),
  };
  const recipes = { console: "0".repeat(64), desktop: "1".repeat(64) };
  const text = formatLock({ recipes, suites: [], packages: { console: [file], desktop: [file] } });
  expect(parseLock(Buffer.from(text)).packages).toEqual([{ ...file, levels: ["console", "desktop"] }]);
});

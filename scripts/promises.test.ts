import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

/** `path of a test file`, and in quotes the beginning, or a part, of a test's name. */
const REFERENCE = /`((?:src|guest|e2e|scripts)\/[^`]+\.(?:test|spec)\.ts)`(?: "([^"]+)")?/g;

test.each([
  ["docs/security.md", 25],
  ["docs/threading.md", 20],
  ["docs/inspection.md", 3],
])("every promise of %s names a test that there is", (file, fewest) => {
  const text = readFileSync(join(root, file), "utf8");
  const references = [...text.matchAll(REFERENCE)];
  const lost = references.filter(
    ([, path, name]) =>
      !existsSync(join(root, path)) || (name && !readFileSync(join(root, path), "utf8").includes(name)),
  );
  expect(lost.map(([reference]) => reference)).toEqual([]);

  // Tables whose last column is the test.
  const tables = text.split(/^\|.*\| test \|$\n.*\n/m).slice(1);
  const promises = tables.flatMap((table) => /^(\|.*\n)*/.exec(table)![0].trim().split("\n"));
  expect(promises.length).toBeGreaterThanOrEqual(fewest);
  expect(promises.filter((line) => !line.includes(".ts`"))).toEqual([]);
});

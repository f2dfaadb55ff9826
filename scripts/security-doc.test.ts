import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

/** `path of a test file`, and in quotes the beginning, or a part, of a test's name. */
const REFERENCE = /`((?:src|guest|e2e|scripts)\/[^`]+\.(?:test|spec)\.ts)`(?: "([^"]+)")?/g;

test("every promise of docs/security.md names a test that there is", () => {
  const text = readFileSync(join(root, "docs/security.md"), "utf8");
  const references = [...text.matchAll(REFERENCE)];
  const lost = references.filter(
    ([, file, name]) =>
      !existsSync(join(root, file)) || (name && !readFileSync(join(root, file), "utf8").includes(name)),
  );
  expect(lost.map(([reference]) => reference)).toEqual([]);

  const tables = text.split(/^\| promise \| test \|$\n.*\n/m).slice(1);
  const promises = tables.flatMap((table) => /^(\|.*\n)*/.exec(table)![0].trim().split("\n"));
  expect(promises.length).toBeGreaterThan(25);
  expect(promises.filter((line) => !line.includes(".ts`"))).toEqual([]);
});

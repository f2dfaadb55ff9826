import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { LIMIT_FILES, limitsDocument } from "./limits-doc.ts";

test("docs/limits.md says what the code says", () => {
  expect(readFileSync(new URL("../docs/limits.md", import.meta.url), "utf8")).toBe(limitsDocument());
});

test("it says it of every limit, however its declaration is laid out", () => {
  const root = new URL("..", import.meta.url);
  const files = ["src", "guest"].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .filter((path) => basename(path) === "limits.ts")
      .map((path) => `${folder}/${path}`),
  );
  expect([...LIMIT_FILES].toSorted()).toEqual(files.toSorted());
  const missing = files.flatMap((file) =>
    [...readFileSync(new URL(file, root), "utf8").matchAll(/^export const (\w+)/gm)]
      .map(([, name]) => name)
      // Gathers what is declared above it.
      .filter((name) => name !== "DEFAULT_RELAY_LIMITS")
      .filter((name) => !limitsDocument().includes(`| \`${name}\` |`)),
  );
  expect(missing).toEqual([]);
});

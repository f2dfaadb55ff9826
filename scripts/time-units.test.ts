import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMIT_FILES } from "./limits-doc.ts";
import { root } from "./sources.ts";

/** A name that means a span of time, and is declared as a number. */
const SPAN =
  /\b(\w*(?:deadline|timeout|interval|delay|latency|patience|elapsed|took|duration|roundTrip|grace|stallTime))(?:\??: number| = [\d_]+)\b/gi;

/** Counts of a format that is not ours. */
const ALLOWED = new Set(["restartInterval"]);

const sources = ["src", "e2e", "bench", "guest", "scripts"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path}`),
);

test("a span of time says its unit in its name", () => {
  const nameless = sources.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(SPAN)]
      .map(([, name]) => name)
      .filter((name) => !ALLOWED.has(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(nameless).toEqual([]);
});

test("so does every limit that is a span of time", () => {
  const limits = LIMIT_FILES.flatMap((file) => [
    ...readFileSync(join(root, file), "utf8").matchAll(
      /\/\*\*\s+(?:\* )?(?:Most )?(milliseconds|seconds) (?!that are waited for)(?:(?!\*\/)[\s\S])*\*\/\s*export const (\w+)/gi,
    ),
  ]);
  expect(limits.length).toBeGreaterThan(80);
  const wrong = limits.filter(
    ([, unit, name]) => !name.endsWith(unit.toLowerCase() === "seconds" ? "_S" : "_MS"),
  );
  expect(wrong.map(([, , name]) => name)).toEqual([]);
});

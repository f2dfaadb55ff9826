import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ERRORS } from "../src/errors/index.ts";
import { errorsDocument } from "./errors-doc.ts";
import { root } from "./sources.ts";

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !/\.(test|testing)\.ts$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, "src", path), "utf8") }));

test("docs/errors.md says what the registry says", () => {
  expect(readFileSync(join(root, "docs/errors.md"), "utf8")).toBe(errorsDocument());
});

test("every code is some error's", () => {
  const used = sources.filter(({ path }) => path !== "errors/registry.ts").map(({ text }) => text);
  const unused = Object.keys(ERRORS).filter((code) => !used.some((text) => text.includes(`"${code}"`)));
  expect(unused).toEqual([]);
});

test("every class of errors has a code", () => {
  const without = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/class (\w+) extends (Error|TypeError|RangeError) /g)]
      .map(([, name]) => name)
      .filter((name) => name !== "CodedError")
      .map((name) => `${path}: ${name}`),
  );
  expect(without).toEqual([]);
});

test("nobody decides by an error's words", () => {
  const WORDS = String.raw`(?:error|reason|message|words|failure|detail)`;
  const DECISION = new RegExp(
    String.raw`/\w*\.test\(\w*\.?${WORDS}\)|\b${WORDS}\.(?:includes|match|startsWith|endsWith)\(|(?<!typeof )\b(?:message|words|reason) === (?:"\w|[A-Z])`,
  );
  const deciding = sources.flatMap(({ path, text }) =>
    text
      .split("\n")
      .filter((line) => DECISION.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(deciding).toEqual([]);
});

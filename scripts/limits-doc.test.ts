import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { limitsDocument } from "./limits-doc.ts";

test("docs/limits.md says what the code says", () => {
  expect(readFileSync(new URL("../docs/limits.md", import.meta.url), "utf8")).toBe(limitsDocument());
});

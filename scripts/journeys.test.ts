import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./sources.ts";

/** A page that hosts nothing. */
const WITHOUT_HOST = ["09-platform-jpeg.spec.ts"];

test("every journey ends with a look at who owns what: its tab does, or it says so itself", () => {
  const journeys = readdirSync(join(root, "e2e")).filter((name) => name.endsWith(".spec.ts"));
  const unchecked = journeys.filter((name) => {
    const text = readFileSync(join(root, "e2e", name), "utf8");
    return !/\b(HostTab|FirefoxTab)\.(open|attach)\(|\bexpectGraph\(/.test(text);
  });
  expect(unchecked).toEqual(WITHOUT_HOST);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "./version.ts";

test.each([
  ["1.0", "1.1"],
  ["1.9", "1.10"],
  ["1.0~rc1", "1.0"],
  ["1.0~~", "1.0~"],
  ["1.0", "1.0+b1"],
  ["1.0-1", "1.0-1+b1"],
  ["9.0", "1:0.1"],
  ["6.1.176-1", "6.1.190-1"],
  ["2:21.1.7-3+deb12u12", "2:21.1.7-3+deb12u13"],
  ["1.0a", "1.0+"],
  ["0.1.5+git20191230-1", "0.1.5+git20200331-3"],
  ["1.0", "1.0-0.1"],
])("%s is older than %s", (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0);
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
});

test("leading zeros do not count", () => {
  expect(compareVersions("1.01", "1.1")).toBe(0);
  expect(compareVersions("0:1.0", "1.0")).toBe(0);
});

const version = fc.string({ unit: fc.constantFrom(..."019aZ.+~-"), minLength: 1, maxLength: 8 });

test("the order is antisymmetric and transitive", () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)) + 0);
      const [first, second, third] = [a, b, c].sort(compareVersions);
      expect(compareVersions(first, second)).toBeLessThanOrEqual(0);
      expect(compareVersions(second, third)).toBeLessThanOrEqual(0);
      expect(compareVersions(first, third)).toBeLessThanOrEqual(0);
    }),
  );
});

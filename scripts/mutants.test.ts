import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { INVARIANTS, INVARIANTS_TEST, MUTANTS } from "./mutant-list.ts";
import { root } from "./sources.ts";

const read = (file: string) => readFileSync(join(root, file), "utf8");

test.each(MUTANTS.map((mutant) => [mutant.file, mutant.text, mutant] as const))(
  "%s has what a mutant changes, once: %s",
  (file, text, { replacement }) => {
    expect(read(file).split(text)).toHaveLength(2);
    expect(replacement).not.toBe(text);
  },
);

test("each invariant has a test, and a mutant that it has to notice", () => {
  const numbers = Array.from({ length: INVARIANTS }, (_, index) => index + 1);
  const tests = read(INVARIANTS_TEST);
  expect(numbers.filter((number) => !tests.includes(`"${number}: `))).toEqual([]);
  expect(numbers.filter((number) => !MUTANTS.some(({ invariant }) => invariant === number))).toEqual([]);
});

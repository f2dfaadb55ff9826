/**
 * `npm run mutants [-- NUMBER...]`: breaks each invariant of the threading model by one small change of the source, and shows that the
 * invariant's test fails then. Works on a copy of the tree. Fails when a change goes unnoticed.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INVARIANTS_TEST, MUTANTS } from "./mutant-list.ts";
import { root } from "./sources.ts";

/** Milliseconds for one run of an invariant's tests; one that takes longer was stopped by the mistake, too. */
const RUN_MS = 5 * 60_000;
/** What the tests need of the tree. */
const NEEDED = [
  "src",
  "scripts",
  "package.json",
  "tsconfig.base.json",
  "tsconfig.tools.json",
  "vitest.config.ts",
];

interface Run {
  readonly failed: readonly string[];
  readonly passed: number;
}

/** Runs the tests of an invariant, or all of them, in a tree. @throws if none of them could run */
async function runTests(tree: string, invariant?: number): Promise<Run> {
  const output = join(tree, "result.json");
  rmSync(output, { force: true });
  const names = invariant === undefined ? [] : ["--testNamePattern", `^${invariant}: `];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(
    process.execPath,
    [vitest, "run", INVARIANTS_TEST, "--reporter=json", `--outputFile=${output}`, ...names],
    { cwd: tree, stdio: "ignore", timeout: RUN_MS },
  );
  await new Promise((resolve) => child.once("close", resolve));
  const { testResults } = JSON.parse(readFileSync(output, "utf8")) as {
    testResults: { message: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const named = (status: string) => results.filter((one) => one.status === status);
  const run = { failed: named("failed").map(({ fullName }) => fullName), passed: named("passed").length };
  // A change that is not even a program shows nothing.
  if (run.failed.length + run.passed === 0) throw new Error(`no test ran: ${testResults[0]?.message}`);
  return run;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2).map(Number);
  const mutants = MUTANTS.filter(({ invariant }) => wanted.length === 0 || wanted.includes(invariant));
  const tree = mkdtempSync(join(tmpdir(), "mutants-"));
  const unnoticed: string[] = [];
  try {
    for (const name of NEEDED) cpSync(join(root, name), join(tree, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "dir");
    const { failed, passed } = await runTests(tree);
    if (failed.length > 0) throw new Error(`these fail without any mutant: ${failed.join("; ")}`);
    console.log(`${passed} tests pass as the source is`);
    for (const { invariant, file, text, replacement } of mutants) {
      const path = join(tree, file);
      const source = readFileSync(path, "utf8");
      if (source.split(text).length !== 2) throw new Error(`${file} does not have this once: ${text}`);
      writeFileSync(
        path,
        source.replace(text, () => replacement),
      );
      const run = await runTests(tree, invariant);
      writeFileSync(path, source);
      const isNoticed = run.failed.length > 0;
      if (!isNoticed) unnoticed.push(`invariant ${invariant}: ${file}: ${text}`);
      const all = run.failed.length + run.passed;
      console.log(
        `${isNoticed ? "noticed  " : "UNNOTICED"} ${invariant} by ${run.failed.length} of ${all}: ${file}`,
      );
    }
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  if (unnoticed.length > 0) throw new Error(`mutants that no test notices:\n${unnoticed.join("\n")}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Assembles docs/errors.md from the registry of codes: `npx tsx scripts/errors-doc.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_GROUPS } from "../src/errors/index.ts";
import { root } from "./sources.ts";

/** The document as it should be. */
export function errorsDocument(): string {
  const parts = [
    "# Errors\n\nEvery error of ours has a code, which crosses threads with its words: programs decide by codes, never by words. This page is\nmade from the registry (`src/errors/registry.ts`, by `npx tsx scripts/errors-doc.ts`); a test holds it current, and that every\ncode is used. The guest's builder has codes of its own (`guest/errors.ts`), and says each remedy itself.\n",
  ];
  for (const [title, codes] of ERROR_GROUPS) {
    const rows = Object.entries(codes).map(
      ([code, { means, remedy }]) => `| \`${code}\` | ${means} | ${remedy} |`,
    );
    parts.push(`## ${title}\n\n| code | what it means | what to do |\n|---|---|---|\n${rows.join("\n")}\n`);
  }
  return parts.join("\n");
}

if (process.argv[1] === join(root, "scripts/errors-doc.ts")) {
  writeFileSync(join(root, "docs/errors.md"), errorsDocument());
}

/** Assembles docs/limits.md from the doc comments of every limits.ts: `npx tsx scripts/limits-doc.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where limits are declared, in the order of the document. */
export const LIMIT_FILES = [
  "src/formats/limits.ts",
  "src/relay/limits.ts",
  "src/transport/limits.ts",
  "src/log/limits.ts",
  "src/dispatch/limits.ts",
  "src/protocol/limits.ts",
  "src/channel/limits.ts",
  "src/server/limits.ts",
  "src/red/limits.ts",
  "src/client/limits.ts",
  "src/raster/limits.ts",
  "src/image/limits.ts",
  "src/qxl/limits.ts",
  "src/keyboard/limits.ts",
  "src/state/limits.ts",
  "src/machine/limits.ts",
  "src/host/limits.ts",
  "guest/limits.ts",
] as const;

const DECLARATION = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const (\w+)(?::[^=]+)? =\s+([^;]+);/g;

/** The document as it should be. */
export function limitsDocument(): string {
  const parts = [
    "# Limits\n\nEvery queue, cache, message and timer has a limit with a name, a default and a reason. This page is made from the\ndeclarations themselves (`npx tsx scripts/limits-doc.ts`); a test holds it current. A span of time says its unit in its name\n(`_MS`, `_S`; `…Ms` in the code); a point in time does not, and is in milliseconds.\n",
  ];
  for (const file of LIMIT_FILES) {
    const source = readFileSync(join(root, file), "utf8");
    const rows = [...source.matchAll(DECLARATION)].map(([, comment, name, value]) => {
      const words = comment
        .replaceAll(/^\s*\* ?/gm, "")
        .replaceAll(/\s+/g, " ")
        .replaceAll(/\{@link (\w+)\}/g, "`$1`")
        .replaceAll("|", "\\|")
        .trim();
      return `| \`${name}\` | \`${value.replaceAll(/\s+/g, " ").replaceAll("|", "\\|")}\` | ${words} |`;
    });
    if (rows.length === 0) continue;
    parts.push(
      `## ${dirname(file)}\n\n| name | default | what and why |\n|---|---|---|\n${rows.join("\n")}\n`,
    );
  }
  return parts.join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, "docs/limits.md"), limitsDocument());
}

/** `npm run build | guest | fuzz | bench | attack | mutants | simulate`: each in its TypeScript entry, after the same checks. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkNode, ensurePackages, importTypeScript, root } from "./project.mjs";

const ENTRIES = {
  build: "scripts/build.ts",
  guest: "guest/build.ts",
  fuzz: "scripts/fuzz.ts",
  bench: "bench/main.ts",
  attack: "e2e/attacks/main.ts",
  mutants: "scripts/mutants.ts",
  simulate: "scripts/simulate.ts",
};

const [name] = process.argv.slice(2);
const entry = ENTRIES[name];
if (entry === undefined || !existsSync(join(root, entry))) {
  process.stderr.write(`There is no "${name}"; there are: ${Object.keys(ENTRIES).join(", ")}.\n`);
  process.exit(2);
}
checkNode();
ensurePackages();
// The entry reads its own arguments where any program does.
process.argv.splice(1, 2, join(root, entry));
await importTypeScript(entry);

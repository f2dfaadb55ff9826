/** What every command of the project needs before its TypeScript can run: a fit Node and the pinned packages. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What Vite 8 needs. */
const OLDEST_NODE = [20, 19];

/** Ends the process when Node is too old to read the project. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  process.stderr.write(
    `spicetab needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.version}.\n`,
  );
  process.exit(2);
}

/** Installs the packages of package-lock.json unless exactly these are installed. */
export function ensurePackages() {
  if (!existsSync(join(root, "package-lock.json"))) {
    // Not a clone: npm leaves lock files out of what it packs, and installs the dependencies with the package.
    if (!hasDependencies()) install("npm install", ["install", "--omit=dev"]);
    return;
  }
  const lock = readFileSync(join(root, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(root, "node_modules/.spicetab-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  if (!installedByHand()) {
    install("npm ci", ["ci"]);
  }
  writeFileSync(stamp, wanted);
}

function install(what, args) {
  process.stdout.write(`Installing the packages (${what}) …\n`);
  // The packages are pinned here: what npm warns of is nothing that whoever starts this can do something about.
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const npm = spawnSync("npm", [...args, ...quiet], { cwd: root, stdio: "inherit" });
  if (npm.error === undefined && npm.status === 0) return;
  process.stderr.write(`${what} failed${npm.error ? `: ${npm.error.message}` : ""}; see its words above.\n`);
  process.exit(1);
}

/** Each in the package's own node_modules, or in one of those that it lies in itself. */
function hasDependencies() {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const folders = [];
  for (let folder = root; ; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules"));
    if (folder === dirname(folder)) break;
  }
  return Object.keys(dependencies).every((name) => folders.some((folder) => existsSync(join(folder, name))));
}

/** npm keeps its own copy of the lock file: newer than ours, the install is of these very packages. */
function installedByHand() {
  const installed = join(root, "node_modules/.package-lock.json");
  return (
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs
  );
}

/** Loads a TypeScript module of the project into this process. */
export async function importTypeScript(path) {
  const { register } = await import("tsx/esm/api");
  register();
  return import(join(root, path));
}

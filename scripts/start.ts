/** `npm start` once the packages are there: build what is missing, then serve. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CliOptions } from "../src/relay/cli-options.ts";
import { runCli } from "../src/relay/cli.ts";
import { buildPage } from "./build.ts";
import { installDebianPackages } from "./debian-packages.ts";
import { root } from "./sources.ts";

/** Runs until it is asked to end; resolves to the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const install = (names: readonly string[]) =>
    installDebianPackages(names, (line) => process.stdout.write(`${line}\n`));
  return runCli(args, { root, version, prepare, install });
}

async function prepare(options: CliOptions, doing: (words: string) => void): Promise<void> {
  await buildPage((line) => {
    process.stdout.write(`${line}\n`);
    doing(line);
  });
  const { buildGuest } = await import("../guest/index.ts");
  const { ProgressDisplay, progressWords } = await import("../guest/progress.ts");
  const display = new ProgressDisplay(process.stdout);
  await buildGuest({
    level: options.guest,
    mirror: options.mirror,
    outDir: join(root, "build/guest"),
    cacheDir: join(root, ".cache/guest"),
    allow: options.guestAllowances,
    onProgress: (progress) => {
      display.progress(progress);
      doing(progressWords(progress));
    },
    onNote: (text) => display.line(`Note: ${text}`),
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exit(await start(process.argv.slice(2)));
}

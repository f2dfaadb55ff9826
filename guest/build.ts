#!/usr/bin/env -S npx tsx
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { terminalText } from "../src/formats/index.ts";
import {
  type Allowance,
  ALLOWANCE_NAMES,
  ALLOWANCES,
  allowOption,
  buildGuest,
  GuestBuildError,
  type Level,
  LEVELS,
  updateLock,
} from "./index.ts";
import { ProgressDisplay } from "./progress.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");

const HELP = `Builds the default guests: Debian 12 for i386, as files that the machine boots.

Usage: npm run guest -- [console|desktop ...] [options]      (both levels when none is named)

  --mirror URL      root of a Debian mirror [DEBIAN_MIRROR, else the mirror that apt is set to]
  --out DIR         where the guests go [build/guest]
  --cache DIR       where downloads are kept [.cache/guest]
  --update-lock     pin the archive's newest versions in packages.lock.json first
  --json-progress   one JSON object a line instead of text
  --help            this text

A build takes exactly the packages of packages.lock.json, by their SHA-256. What goes beyond is refused unless allowed:

${ALLOWANCE_NAMES.map((name) => `  ${allowOption(name)}\n                    ${ALLOWANCES[name]}`).join("\n")}
`;

interface Arguments {
  levels: Level[];
  mirror: string | undefined;
  out: string;
  cache: string;
  updateLock: boolean;
  allow: Allowance[];
  json: boolean;
  help: boolean;
}

const allowOptions = Object.fromEntries(
  ALLOWANCE_NAMES.map((name) => [`allow-${name}` as const, { type: "boolean" } as const]),
) as Record<`allow-${Allowance}`, { type: "boolean" }>;

function parseArguments(argv: string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        mirror: { type: "string" },
        out: { type: "string" },
        cache: { type: "string" },
        "update-lock": { type: "boolean", default: false },
        ...allowOptions,
        "json-progress": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const unknown = positionals.find((name) => !(LEVELS as readonly string[]).includes(name));
    if (unknown !== undefined)
      throw new Error(
        `"${unknown}" is no level; there are ${LEVELS.map((level) => `"${level}"`).join(" and ")}`,
      );
    return {
      levels: positionals.length > 0 ? LEVELS.filter((level) => positionals.includes(level)) : [...LEVELS],
      mirror: values.mirror,
      out: resolve(values.out ?? join(PROJECT, "build", "guest")),
      cache: resolve(values.cache ?? join(PROJECT, ".cache", "guest")),
      updateLock: values["update-lock"],
      allow: ALLOWANCE_NAMES.filter((name) => values[`allow-${name}`] === true),
      json: values["json-progress"],
      help: values.help,
    };
  } catch (error) {
    throw new GuestBuildError(
      "usage",
      `${error instanceof Error ? error.message : String(error)}. See --help.`,
    );
  }
}

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const display = new ProgressDisplay(process.stderr);
  const json = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  const listener = {
    onProgress: (progress: Parameters<ProgressDisplay["progress"]>[0]) =>
      options.json ? json({ type: "progress", ...progress }) : display.progress(progress),
    onNote: (text: string) => (options.json ? json({ type: "note", text }) : display.line(`Note: ${text}`)),
  };
  const common = { mirror: options.mirror, cacheDir: options.cache, allow: options.allow, ...listener };
  if (options.updateLock) {
    const count = await updateLock(common);
    listener.onNote(`packages.lock.json pins ${count} packages.`);
  }
  for (const level of options.levels) {
    const manifest = await buildGuest({ ...common, level, outDir: options.out });
    if (options.json)
      json({ type: "built", level, folder: join(options.out, level), buildId: manifest.buildId });
    else
      display.line(
        `${level}: ${((manifest.initrd.size + manifest.kernel.size) / 1e6).toFixed(1)} MB, ` +
          `${manifest.packages.length} packages, ${manifest.memoryMiB} MiB of RAM, in ${join(options.out, level)}`,
      );
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof GuestBuildError)) throw error;
  process.stderr.write(`\n${terminalText(error.message)}\n`);
  process.exitCode = error.code === "usage" || error.code === "mirror" ? 2 : 1;
}

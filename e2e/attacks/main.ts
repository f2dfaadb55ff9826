/**
 * `npm run attack`: a headless host, an honest client that measures, and every attack beside it, as hard as it gets. Prints what the
 * honest client's p99 became; ends with 1 when it was cut, kept waiting or shown a wrong picture.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HostTab, Server, freePort } from "../support/host.ts";
import { difference } from "../support/ppm.ts";
import { spicyScreenshot } from "../support/stock-clients.ts";
import { allAttacks } from "./all.ts";
import { latenessOf, words } from "./lateness.ts";
import { Trials } from "./trial.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    scale: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    // On each side of a comparison; of 200, two may be late by chance before the p99 is.
    answers: { type: "string", default: "200" },
    nice: { type: "string", default: "0" },
    profile: { type: "string" },
    list: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const niceness = Number(values.nice);
const attacks = allAttacks(seed).filter(
  ({ name }) => values.only === undefined || values.only.some((part) => name.includes(part)),
);
if (values.list) {
  for (const { name } of attacks) console.log(name);
  process.exit(0);
}

// One that is named is kept, with the machine booted in it.
const profile = values.profile ?? (await mkdtemp(join(tmpdir(), "spicetab-attack-")));
const devtools = String(await freePort());
let failures = 0;
try {
  const headless = ["--headless", "--profile", profile, "--devtools-port", devtools, "--guest", "console"];
  await using server = await Server.start(...headless);
  // It is in a process group of its own: whoever ends this must not leave it behind.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      server.program.signal("SIGTERM");
      process.exit(code);
    });
  }
  await server.program.printed(/^ready: .*$/m, 600_000);
  await using tab = await HostTab.attach(Number(devtools));
  const target = { port: server.spicePort, scale: Number(values.scale) };
  using trials = await Trials.start();
  for (const { name } of attacks) {
    process.stdout.write(`${name} … `);
    try {
      const verdict = await trials.try({ name, seed, target, niceness }, Number(values.answers));
      console.log(verdict.outcome);
      console.log(words(verdict));
      await expectExact(tab, server.spicePort);
      const late = latenessOf(verdict);
      if (late !== undefined) throw new Error(late);
    } catch (error) {
      failures++;
      console.log(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
} finally {
  if (values.profile === undefined) await rm(profile, { recursive: true, force: true });
}
console.log(`${attacks.length - failures} passed, ${failures} failed`);
process.exit(failures > 0 ? 1 : 0);

/** The console's cursor blinks: any of several moments may be the one in the picture. */
async function expectExact(tab: HostTab, port: number): Promise<void> {
  let last: string | undefined = "no picture";
  for (let tries = 0; tries < 20 && last !== undefined; tries++) {
    const before = await tab.surface();
    const shot = await spicyScreenshot(port);
    last = shot.picture === undefined ? `no picture: ${shot.stderr}` : difference(shot.picture, before);
  }
  if (last !== undefined) throw new Error(`the picture is not exact: ${last}`);
}

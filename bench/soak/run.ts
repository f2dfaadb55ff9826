import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HostTab, Server, freePort } from "../../e2e/support/host.ts";
import { Program } from "../../e2e/support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "../../e2e/support/stock-clients.ts";
import { processMemory } from "./memory.ts";
import type { ProcessMemory } from "./memory.ts";
import { trend } from "./trend.ts";

/** What the guest prints without an end: lines that scroll the whole console. */
const PRINT = "while sleep 0.1; do dmesg | tail -n 3 > /dev/tty1; date > /dev/tty1; done &\n";
/** Milliseconds from one client that joins and leaves to the next. */
const VISIT_MS = 10_000;
/** Growth from here on counts as a leak: less is the allocator's own way. */
const FLAT = 0.03;

interface Sample extends ProcessMemory {
  readonly minutes: number;
  readonly visits: number;
}

/**
 * `npm run bench -- soak`: a headless host whose console prints without an end, spicy that watches, and a client that joins
 * and leaves each ten seconds. Prints memory each minute and what it grew by after the first sixth of the time.
 */
export async function runSoak(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: "string", default: "60" }, json: { type: "boolean", default: false } },
  });
  const minutes = Number(values.minutes);
  const profile = await mkdtemp(join(tmpdir(), "spicetab-soak-"));
  const devtools = String(await freePort());
  try {
    const headless = ["--headless", "--profile", profile, "--devtools-port", devtools, "--guest", "console"];
    await using server = await Server.start(...headless);
    await server.program.printed(/^ready: .*$/m, 600_000);
    await using tab = await HostTab.attach(Number(devtools));
    await tab.page.evaluate(
      (text) => window.spicetab.session.threads?.guest.call("serialSend", { text }),
      PRINT,
    );
    await using screen = await XvfbDisplay.start();
    await using viewer = new Program("spicy", ["-h", "127.0.0.1", "-p", String(server.spicePort)], {
      env: { ...screen.env, NO_AT_BRIDGE: "1" },
    });
    const samples = await soak(minutes, server, viewer, (sample) => {
      if (!values.json) process.stdout.write(`${describe(sample)}\n`);
    });
    tell(samples, minutes, values.json);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

async function soak(
  minutes: number,
  server: Server,
  viewer: Program,
  onSample: (sample: Sample) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const start = performance.now();
  const elapsedMinutes = () => (performance.now() - start) / 60_000;
  let visits = 0;
  while (elapsedMinutes() < minutes) {
    const visit = performance.now();
    const { code, stderr } = await spicyScreenshot(server.spicePort);
    if (code !== 0) throw new Error(`visit ${visits + 1} failed with code ${code}: ${stderr}`);
    if (viewer.child.exitCode !== null)
      throw new Error(`the viewer ended with code ${viewer.child.exitCode}: ${viewer.stderr}`);
    visits++;
    const pause = VISIT_MS - (performance.now() - visit);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, pause)));
    if (elapsedMinutes() < samples.length + 1) continue;
    const sample = { minutes: elapsedMinutes(), visits, ...processMemory(server.program.child.pid!) };
    samples.push(sample);
    onSample(sample);
  }
  return samples;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function describe({ minutes, visits, relayBytes, tabBytes, machineBytes }: Sample): string {
  const memory = `relay ${megabytes(relayBytes)}, tab ${megabytes(tabBytes)} (machine ${megabytes(machineBytes)})`;
  return `${minutes.toFixed(0).padStart(3)} min  ${String(visits).padStart(4)} visits  ${memory}`;
}

/** The first sixth is left out: code is compiled and caches fill in it. */
function tell(samples: readonly Sample[], minutes: number, json: boolean): void {
  const settled = samples.filter((sample) => sample.minutes > minutes / 6);
  const grown = (["relayBytes", "tabBytes"] as const).map((name) => {
    const line = trend(settled.map((sample) => [sample.minutes, sample[name]] as const));
    return { name, ...line, flat: line.growth < FLAT };
  });
  if (json) {
    console.log(JSON.stringify({ minutes, samples, grown }));
    return;
  }
  for (const { name, from, to, growth, flat } of grown) {
    const words = `${megabytes(from)} to ${megabytes(to)}, ${(growth * 100).toFixed(1)} %`;
    console.log(`${name.replace("Bytes", "").padEnd(6)} ${words}: ${flat ? "flat" : "GROWS"}`);
  }
}

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HostTab, Server, freePort, root } from "../../e2e/support/host.ts";
import { Program } from "../../e2e/support/process.ts";
import { XvfbDisplay, spicyScreenshot } from "../../e2e/support/stock-clients.ts";
import { layOutAperture } from "../../src/machine/memory-map.ts";
import { DevTools } from "./devtools.ts";
import { hostMemory } from "./memory.ts";
import type { HostMemory } from "./memory.ts";
import { atRest, guestModules, watchGuestCode } from "./rest.ts";
import type { ThreadHeap } from "./rest.ts";
import { trend } from "./trend.ts";
import type { Trend } from "./trend.ts";

/** What the guest prints without an end: lines that scroll the whole console. */
const PRINT = "while sleep 0.1; do dmesg | tail -n 3 > /dev/tty1; date > /dev/tty1; done &\n";
/** Growth from here on counts as a leak: less is the allocator's own way. */
const FLAT = 0.03;
/** Times that the tab is brought to rest; the first is where the judgement begins. */
const RESTS = 6;

interface Sample extends HostMemory {
  readonly minutes: number;
  readonly visits: number;
  /** What v86 has compiled of the guest's code since the beginning. */
  readonly modules: number;
}

interface Rest extends HostMemory {
  readonly minutes: number;
  readonly visits: number;
  readonly heaps: readonly ThreadHeap[];
}

interface Soaked {
  readonly samples: readonly Sample[];
  readonly rests: readonly Rest[];
}

/**
 * `npm run bench -- soak`: a headless host whose console prints without an end, spicy that watches, and a client that joins
 * and leaves each ten seconds. Prints memory each minute and what it grew by after the first sixth of the time.
 *
 * Two things grow that are the guest's, and both have an end. Its RAM is one WebAssembly memory of a fixed size, whose pages a browser
 * backs when they are touched first. And v86 compiles what of the guest's code has run often enough, counted since the machine's start: a
 * guest that does the same for hours has ever more of it compiled, at most 899 modules of some hundred KB each, then v86 begins anew.
 * Either would hide a leak of ours, or look like one. So RAM is counted apart, and the tab is judged at rest: six times the machine is
 * paused, v86 made to throw away what it has compiled, garbage collected, and the browser told to give back what it keeps for later; what
 * is still there then is what must not grow. Beside it stand each thread's objects; core's grow by its log at first, of which a browser
 * keeps the last 1000 lines for its console.
 */
export async function runSoak(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "60" },
      "visit-seconds": { type: "string", default: "10" },
      json: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  const profile = await mkdtemp(join(tmpdir(), "spicetab-soak-"));
  const port = await freePort();
  try {
    const headless = ["--headless", "--profile", profile, "--devtools-port", String(port)];
    await using server = await Server.start(...headless, "--guest", "console");
    await server.program.printed(/^ready: .*$/m, 600_000);
    using devtools = await DevTools.attach(port);
    await watchGuestCode(devtools);
    await print(port);
    await using screen = await XvfbDisplay.start();
    await using viewer = new Program("spicy", ["-h", "127.0.0.1", "-p", String(server.spicePort)], {
      env: { ...screen.env, NO_AT_BRIDGE: "1" },
    });
    const visitMs = Number(values["visit-seconds"]) * 1000;
    const soaked = await soak(minutes, visitMs, server, devtools, viewer, (line) => {
      if (!values.json) process.stdout.write(`${line}\n`);
    });
    tell(soaked, minutes, values.json);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

async function print(port: number): Promise<void> {
  await using tab = await HostTab.attach(port);
  await tab.page.evaluate(
    (text) => window.spicetab.session.threads?.guest.call("serialSend", { text }),
    PRINT,
  );
}

async function soak(
  minutes: number,
  visitMs: number,
  server: Server,
  devtools: DevTools,
  viewer: Program,
  onLine: (line: string) => void,
): Promise<Soaked> {
  const { memoryMiB } = JSON.parse(readFileSync(join(root, "build/guest/console/manifest.json"), "utf8"));
  const machineSize = layOutAperture(memoryMiB).total;
  const samples: Sample[] = [];
  const rests: Rest[] = [];
  const start = performance.now();
  const elapsedMinutes = () => (performance.now() - start) / 60_000;
  const memory = () => hostMemory(server.program.child.pid!, machineSize);
  let visits = 0;
  while (elapsedMinutes() < minutes) {
    const visit = performance.now();
    const { code, stderr } = await spicyScreenshot(server.spicePort);
    if (code !== 0) throw new Error(`visit ${visits + 1} failed with code ${code}: ${stderr}`);
    if (viewer.child.exitCode !== null)
      throw new Error(`the viewer ended with code ${viewer.child.exitCode}: ${viewer.stderr}`);
    visits++;
    const pauseMs = visitMs - (performance.now() - visit);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, pauseMs)));
    const elapsed = elapsedMinutes();
    if (elapsed >= samples.length + 1) {
      const sample = { minutes: elapsed, visits, modules: await guestModules(devtools), ...memory() };
      samples.push(sample);
      onLine(describe(sample));
    }
    if (elapsed >= ((rests.length + 1) * minutes) / RESTS) {
      const looked = (heaps: readonly ThreadHeap[]) => ({ minutes: elapsed, visits, heaps, ...memory() });
      rests.push(await atRest(devtools, machineSize, looked));
      onLine(describeRest(rests.at(-1)!));
    }
  }
  return { samples, rests };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function describe(sample: Sample): string {
  const { minutes, visits, relayBytes, heapBytes, codeBytes, machineBytes, machineSize, modules } = sample;
  const code = `guest's code ${modules} modules made, all code ${megabytes(codeBytes)}`;
  const memory = `relay ${megabytes(relayBytes)}, tab's heaps ${megabytes(heapBytes)}, ${code}`;
  const machine = `machine ${megabytes(machineBytes)} of ${megabytes(machineSize)}`;
  return `${minutes.toFixed(0).padStart(3)} min  ${String(visits).padStart(4)} visits  ${memory}, ${machine}`;
}

function describeRest({ heapBytes, codeBytes, heaps }: Rest): string {
  const live = heaps.map(({ thread, objectBytes }) => `${thread} ${megabytes(objectBytes)}`).join(", ");
  const [all, code] = [megabytes(heapBytes), megabytes(codeBytes)];
  return `at rest  tab's heaps ${all}, all code ${code}; live objects: ${live}`;
}

/** The first sixth is left out: code is compiled and caches fill in it. */
function tell({ samples, rests }: Soaked, minutes: number, json: boolean): void {
  const settled = samples.filter((sample) => sample.minutes > minutes / RESTS);
  const visits = rests.at(-1)!.visits - rests[0].visits;
  const of = <T extends { readonly minutes: number }>(some: readonly T[], read: (one: T) => number) =>
    trend(some.map((one) => [one.minutes, read(one)] as const));
  const judged = {
    relay: of(settled, ({ relayBytes }) => relayBytes),
    tab: of(rests, ({ heapBytes, codeBytes }) => heapBytes + codeBytes),
  };
  const machine = of(settled, ({ machineBytes }) => machineBytes);
  if (json) {
    const flat = judged.relay.growth < FLAT && judged.tab.growth < FLAT;
    console.log(JSON.stringify({ minutes, samples, rests, ...judged, machine, flat }));
    return;
  }
  const words = ({ from, to, growth }: Trend) =>
    `${megabytes(from)} to ${megabytes(to)}, ${(growth * 100).toFixed(1)} %`;
  for (const [name, line] of Object.entries(judged)) {
    const perVisit = `${((line.to - line.from) / visits / 1e3).toFixed(1)} kB a visit`;
    const verdict = line.growth < FLAT ? "flat" : "GROWS";
    const where = name === "tab" ? " at rest" : "";
    console.log(`${(name + where).padEnd(16)} ${words(line)}, ${perVisit}: ${verdict}`);
  }
  console.log(`${"machine touched".padEnd(16)} ${words(machine)}`);
  for (const [i, { thread }] of rests[0].heaps.entries()) {
    const objects = of(rests, ({ heaps }) => heaps[i].objectBytes);
    const buffers = of(rests, ({ heaps }) => heaps[i].bufferBytes);
    console.log(`${`in ${thread}`.padEnd(16)} objects ${words(objects)}; buffers ${words(buffers)}`);
  }
}

import { median } from "../codecs/measure.ts";
import { readBuiltGuest, withSerial } from "../../src/machine/built-guest.testing.ts";
import { Machine } from "../../src/machine/machine.ts";
import { RecordingRed, silentEvents } from "../../src/machine/machine.testing.ts";
import { eventually } from "../../src/waiting.testing.ts";

const ROUNDS = 5;
/** Milliseconds of one measurement: a guest's own housekeeping comes every second or so. */
const ROUND_MS = 5_000;
/** Milliseconds that a guest which has just booted, or changed its yield, may take to become quiet. */
const SETTLE_MS = 10_000;

/**
 * `npm run bench -- idle`: CPU that a guest costs which does nothing, with our yield and with v86's own, in turn in one process.
 * Needs the guest's image (`npm run guest -- console`).
 */
export async function runIdle(args: string[]): Promise<void> {
  const level = args.includes("--desktop") ? "desktop" : "console";
  let ready = false;
  const events = silentEvents({ bootMarker: ({ name }) => void (ready ||= name === "ready") });
  const sink = new RecordingRed().sink;
  await using machine = await Machine.create({ ...readBuiltGuest(level).options, sink, events });
  machine.run();
  await eventually(
    () => ready,
    withSerial("GUEST ready", () => machine.serial.tail),
    900_000,
  );
  const { v86: core } = machine.emulator;
  const own = core.yield;
  const v86s = (Object.getPrototypeOf(core) as typeof core).yield;
  const shares: Record<"ours" | "v86", number[]> = { ours: [], v86: [] };
  await pause(SETTLE_MS);
  for (let round = 0; round < ROUNDS; round++) {
    core.yield = own;
    shares.ours.push(await cpuShare());
    core.yield = v86s;
    shares.v86.push(await cpuShare());
  }
  core.yield = own;
  const [ours, v86] = [median(shares.ours), median(shares.v86)];
  if (args.includes("--json")) console.log(JSON.stringify({ level, ...shares, ratio: ours / v86 }));
  else {
    console.log(`idle ${level} guest, share of a core (median of ${ROUNDS}):`);
    console.log(`ours         ${(ours * 100).toFixed(1)} %`);
    console.log(`v86's yield  ${(v86 * 100).toFixed(1)} %   ratio ${(ours / v86).toFixed(2)}`);
  }
}

/** CPU time of the whole process over the time of a round. */
async function cpuShare(): Promise<number> {
  const start = performance.now();
  const before = process.cpuUsage();
  await pause(ROUND_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - start);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * `npm run simulate -- [--seeds COUNT] [--from SEED] [--seed SEED]`: histories of a whole host in one program, each decided by its seed; the
 * first one that goes against the threading model is made as short as it can be, and shown.
 */
import { parseArgs } from "node:util";
import { makeHistory, report, runHistory } from "../src/simulation/history.testing.ts";

/** Seeds between two words about how far it is. */
const NEWS = 100;

const { values } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" } },
});
const from = Number(values.seed ?? values.from ?? 1);
const count = values.seed === undefined ? Number(values.seeds ?? 1_000) : 1;
let events = 0;
process.exitCode = 0;
for (let seed = from; seed < from + count; seed++) {
  const course = await runHistory(seed, makeHistory(seed));
  events += course.events;
  if (course.findings.length > 0) {
    console.log(await report(seed));
    process.exitCode = 1;
    break;
  }
  if ((seed - from + 1) % NEWS === 0 || seed === from + count - 1)
    console.log(`${seed - from + 1} histories, ${events} events: nothing against the model`);
}

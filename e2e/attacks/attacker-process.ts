/** The process in which attacks run; see attacker.ts. */
import { setPriority } from "node:os";
import { allAttacks } from "./all.ts";
import type { Assault, Report } from "./attacker.ts";

const say = (report: Report) => process.send?.(report);

process.on("message", async ({ name, seed, target, niceness }: Assault) => {
  try {
    if (niceness !== 0) setPriority(niceness);
    const attack = allAttacks(seed).find((candidate) => candidate.name === name);
    if (attack === undefined) throw new RangeError(`there is no attack "${name}"`);
    say({ outcome: await attack.run(target) });
  } catch (error) {
    say({ failure: error instanceof Error ? error.message : String(error) });
  }
});
process.once("disconnect", () => process.exit());
say({ ready: true });

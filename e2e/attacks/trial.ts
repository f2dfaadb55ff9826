import type { Attack, Target } from "./attack.ts";
import { HonestClient } from "./honest-client.ts";
import type { Latency } from "./honest-client.ts";

/** Answers of the server that are waited for, to know how long it takes when nothing else happens. */
const QUIET_ANSWERS = 30;

/** What one attack did to the honest client beside it. */
export interface Verdict {
  readonly attack: string;
  /** What came of the attack itself. */
  readonly outcome: string;
  readonly quiet: Latency;
  readonly during: Latency;
}

/** Runs an attack beside an honest client. @throws Error when that client is cut or gets no answer any more */
export async function tryAttack(attack: Attack, target: Target): Promise<Verdict> {
  using honest = await HonestClient.join(target.port, target.password);
  await honest.answers(QUIET_ANSWERS);
  const quiet = honest.take();
  const outcome = await attack.run(target);
  if (!honest.alive) throw new Error("the honest client was cut");
  // One more that was asked for after the attack: whatever was in its way is through.
  await honest.answers(2);
  return { attack: attack.name, outcome, quiet, during: honest.take() };
}

import { Attacker } from "./attacker.ts";
import type { Assault } from "./attacker.ts";
import type { Latency } from "./beat.ts";
import { Bystander } from "./bystander.ts";
import { HonestClient } from "./honest-client.ts";

/** Most times an attack is tried again so that there are enough answers beside it. */
const MOST_ROUNDS = 30;

/** What one attack did to the honest client beside it. */
export interface Verdict {
  /** What came of the attack itself, the first time. */
  readonly outcome: string;
  readonly rounds: number;
  readonly quiet: Latency;
  readonly during: Latency;
  /** The same of a server that has nothing to do with it. */
  readonly bystander: { readonly quiet: Latency; readonly during: Latency };
}

/** Attackers in a process of their own, a bystander, and for each attack an honest client. */
export class Trials implements Disposable {
  readonly #attacker: Attacker;
  readonly #bystander: Bystander;

  private constructor(attacker: Attacker, bystander: Bystander) {
    this.#attacker = attacker;
    this.#bystander = bystander;
  }

  static async start(): Promise<Trials> {
    return new Trials(await Attacker.start(), await Bystander.start());
  }

  /**
   * Runs an attack beside an honest client, again and again until that one has had `answers` answers: among few, one that the machine
   * delayed by chance would be the p99. @throws Error when that client is cut or gets no answer any more
   */
  async try(assault: Assault, answers: number): Promise<Verdict> {
    using honest = await HonestClient.join(assault.target.port, assault.target.password);
    const take = () => ({ honest: honest.beat.take(), bystander: this.#bystander.beat.take() });
    // What the join itself left to do is not quiet yet.
    await honest.beat.answers(5);
    take();
    await honest.beat.answers(answers);
    const quiet = take();
    let rounds = 0;
    let outcome: string | undefined;
    do {
      const came = await this.#attacker.run(assault);
      outcome ??= came;
      if (!honest.alive) throw new Error("the honest client was cut");
    } while (++rounds < MOST_ROUNDS && honest.beat.count < answers);
    // One more that was asked for after the attack: whatever was in its way is through.
    await honest.beat.answers(2);
    const during = take();
    return {
      outcome,
      rounds,
      quiet: quiet.honest,
      during: during.honest,
      bystander: { quiet: quiet.bystander, during: during.bystander },
    };
  }

  [Symbol.dispose](): void {
    this.#attacker[Symbol.dispose]();
    this.#bystander[Symbol.dispose]();
  }
}

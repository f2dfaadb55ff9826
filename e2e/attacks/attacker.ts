import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Target } from "./attack.ts";
import { forkEntry } from "./fork-entry.ts";

/** One attack, as its process is told of it. */
export interface Assault {
  readonly name: string;
  /** Decides what fuzzed connections say. */
  readonly seed: number;
  readonly target: Target;
  /** 0: as urgent as everybody; 19: gets what nobody else wants of the processors. */
  readonly niceness: number;
}

export type Report = { readonly ready: true } | { readonly outcome: string } | { readonly failure: string };

/**
 * The attackers' own process. In the honest client's, that one would measure how long the attackers keep their event loop, not how long
 * the server lets it wait. It is there before anything is measured, since starting it costs too.
 */
export class Attacker implements Disposable {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(): Promise<Attacker> {
    const attacker = new Attacker(forkEntry("./attacker-process.ts"));
    await attacker.#report();
    return attacker;
  }

  /** @throws Error when the attack fails, or its process ends without a word */
  async run(assault: Assault): Promise<string> {
    const report = this.#report();
    this.#process.send(assault);
    const said = await report;
    if (!("outcome" in said)) throw new Error("failure" in said ? said.failure : "it said nothing");
    return said.outcome;
  }

  async #report(): Promise<Report> {
    const over = new AbortController();
    const { signal } = over;
    const message = once(this.#process, "message", { signal });
    const exit = once(this.#process, "exit", { signal }).then(([code, name]) => {
      throw new Error(`the attackers' process ended with ${name ?? code}`);
    });
    try {
      const [report] = await Promise.race([message, exit]);
      return report as Report;
    } finally {
      for (const one of [message, exit]) one.catch(() => {});
      over.abort();
    }
  }

  [Symbol.dispose](): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}

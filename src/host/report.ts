import type { HostState, Problem } from "./state.ts";

/** What a program that drives the page is told (src/relay/headless.ts), if it gave a function for it. */
export interface PageReport {
  readonly kind: "progress" | "saving" | "ready" | "note" | "error";
  readonly text: string;
}

type Report = (report: PageReport) => void;

/** Tells each step once, problems, who comes and goes, and when the machine is ready. */
export class Reporter {
  #said = "";
  #problem: Problem | undefined;
  #hosting = "";
  #ready = false;
  #bootedFrom = "";
  #percent = -1;

  observe(state: HostState): void {
    const report = (globalThis as { spicetabReport?: Report }).spicetabReport;
    if (report === undefined) return;
    const active = state.steps.find((step) => step.state === "active");
    if (active !== undefined && active.label !== this.#said) {
      this.#said = active.label;
      this.#bootedFrom = state.phase;
      this.#ready = false;
      report({ kind: "progress", text: `boot: ${active.label}` });
    }
    this.#saving(state, report);
    // Each problem is an object of its own: the same words once more mean that it happened once more.
    const problem = state.problem ?? state.snapshot.problem;
    if (problem !== this.#problem) {
      this.#problem = problem;
      const kind = state.phase === "failed" ? "error" : "note";
      if (problem !== undefined) report({ kind, text: told(problem) });
    }
    // Who hosts is a state that is told anew with everything else that core says.
    const hosting = state.hosting === undefined ? "" : told(state.hosting);
    if (hosting !== this.#hosting) {
      this.#hosting = hosting;
      if (hosting !== "") report({ kind: "note", text: hosting });
    }
    if (state.phase === "running" && !this.#ready && state.join.relay === "connected") {
      this.#ready = true;
      const how = this.#bootedFrom === "restoring" ? "restored" : "booted";
      report({ kind: "ready", text: `the ${state.level} is ${how}, clients can join` });
    }
  }

  /** A save that takes a while says how far it is; the driver sees that it gets on. */
  #saving({ snapshot: { busy, progress } }: HostState, report: Report): void {
    const percent = busy === "saving" && progress !== undefined ? Math.floor(progress * 100) : -1;
    if (percent === this.#percent) return;
    this.#percent = percent;
    if (percent >= 0) report({ kind: "saving", text: `saving the machine … ${percent} %` });
  }
}

const told = ({ title, detail }: Problem): string => `${title}: ${detail}`;

import type { HostState } from "./state.ts";

/** What a program that drives the page is told (src/relay/headless.ts), if it gave a function for it. */
export interface PageReport {
  readonly kind: "progress" | "saving" | "ready" | "note" | "error";
  readonly text: string;
}

type Report = (report: PageReport) => void;

/** Tells each step once, problems, who comes and goes, and when the machine is ready. */
export class Reporter {
  #said = "";
  #problem = "";
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
    const problem = state.problem ?? state.snapshot.problem ?? state.hosting;
    const words = problem === undefined ? "" : `${problem.title}: ${problem.detail}`;
    if (words !== this.#problem) {
      this.#problem = words;
      if (words !== "") report({ kind: state.phase === "failed" ? "error" : "note", text: words });
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

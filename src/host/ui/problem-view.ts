import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { HostState, Problem } from "../state.ts";

/**
 * A problem with its way on, and buttons for it; read out by screen readers when it appears. A problem that happens again is another object, and so appears
 * again, even in the same words.
 */
export function problemView(problem: Problem, buttons?: unknown) {
  return keyed(
    problem,
    html`<div class="problem ${problem.isNews ? "news" : ""}" role="alert">
      <strong>${problem.title}</strong>
      <p class="small">${problem.detail}</p>
      ${problem.remedy === undefined ? nothing : html`<p>${problem.remedy}</p>`}
      ${buttons === undefined ? nothing : html`<div class="row">${buttons}</div>`}
    </div>`,
  );
}

/** What is said of the kept state belongs beside the picture, not into the side panel: it is why the machine boots. */
export function isBootNews({ phase, snapshot }: HostState): boolean {
  return phase === "booting" && snapshot.problem?.isNews === true;
}

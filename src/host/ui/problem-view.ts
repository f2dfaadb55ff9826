import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { Problem } from "../state.ts";

/**
 * A problem with its way on; read out by screen readers when it appears. A problem that happens again is another object, and so appears
 * again, even in the same words.
 */
export function problemView(problem: Problem) {
  return keyed(
    problem,
    html`<div class="problem" role="alert">
      <strong>${problem.title}</strong>
      <p class="small">${problem.detail}</p>
      ${problem.remedy === undefined ? nothing : html`<p>${problem.remedy}</p>`}
    </div>`,
  );
}

import { html, nothing } from "lit";
import type { Problem } from "../state.ts";

/** A problem with its way on; read out by screen readers when it appears. */
export function problemView(problem: Problem) {
  return html`<div class="problem" role="alert">
    <strong>${problem.title}</strong>
    <p class="small">${problem.detail}</p>
    ${problem.remedy === undefined ? nothing : html`<p>${problem.remedy}</p>`}
  </div>`;
}

import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import type { GraphNode, GraphThread } from "../ownership-graph.ts";

/** Threads as cards, what they own as nested lists with the threading document's arrows. */
export const graphStyles = css`
  .threads {
    columns: 300px;
    column-gap: 10px;
    margin: 12px 0 0;
    padding: 0;
    list-style: none;
  }
  .thread {
    break-inside: avoid;
    margin-bottom: 10px;
    padding: 10px 12px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--ground);
    font-size: 12.5px;
    line-height: 1.5;
  }
  .thread.silent {
    border-color: var(--bad);
    background: var(--bad-soft);
  }
  .thread h3 {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 8px;
    margin: 0;
    font: 600 13.5px var(--mono);
    color: var(--text);
  }
  .thread h3 small {
    font: 400 12px var(--sans);
    color: var(--quiet);
  }
  .silence {
    margin: 4px 0 0;
    font-weight: 600;
    color: var(--bad);
  }
  .owned {
    margin: 0;
    padding: 0 0 0 13px;
    border-left: 1px solid var(--line);
    list-style: none;
  }
  .thread > .owned {
    padding: 0;
    border: 0;
  }
  .owned > li {
    margin-top: 5px;
    scroll-margin: 40px;
    border-radius: 4px;
  }
  .arrow {
    font: 600 12px var(--mono);
    color: var(--accent);
  }
  .name {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  button.pointer {
    display: inline;
    min-height: 0;
    padding: 0;
    border: 0;
    border-radius: 3px;
    background: none;
    font-weight: 500;
    color: var(--accent);
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  .head-of-node,
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 0 10px;
    margin: 0;
  }
  .facts {
    font-variant-numeric: tabular-nums;
  }
  .facts > div {
    max-width: 100%;
    display: flex;
    gap: 4px;
    min-width: 0;
  }
  .facts dt {
    color: var(--quiet);
    white-space: nowrap;
  }
  .facts dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
`;

/** @param go to the node that has this id */
export function graphView(threads: readonly GraphThread[], go: (id: string) => void): TemplateResult {
  const shown = new Set<string>();
  const note = ({ id, owns }: GraphNode): void => {
    shown.add(id);
    owns.forEach(note);
  };
  threads.forEach(note);

  const children = (owns: readonly GraphNode[]): TemplateResult | typeof nothing =>
    owns.length === 0
      ? nothing
      : html`<ul class="owned">
          ${owns.map((node) => html`<li tabindex="-1" data-node=${node.id}>${nodeView(node)}</li>`)}
        </ul>`;
  const nodeView = (node: GraphNode): TemplateResult =>
    html`<div class="head-of-node">
        <span
          ><span class="arrow" aria-hidden="true">=&gt;</span><span class="visually-hidden">owns </span>
          <span class="name">${node.name}</span>
          ${node.points.map(
            ({ name, to }) =>
              html`<span class="arrow" aria-hidden="true">-&gt;</span
                ><span class="visually-hidden">, points to </span>
                ${
                  shown.has(to)
                    ? html`<button class="pointer" @click=${() => go(to)}>${name}</button>`
                    : html`<span>${name}</span>`
                } `,
          )}</span
        >
        ${
          node.facts.length === 0
            ? nothing
            : html`<dl class="facts">
                ${node.facts.map(
                  ({ label, value }) =>
                    html`<div>
                      <dt>${label}</dt>
                      <dd>${value}</dd>
                    </div>`,
                )}
              </dl>`
        }
      </div>
      ${children(node.owns)}`;

  return html`<ul class="threads">
    ${threads.map(
      (thread) =>
        html`<li
          class="thread ${thread.silentSince === undefined ? "" : "silent"}"
          tabindex="-1"
          data-node=${thread.id}
        >
          <h3>${thread.name} <small>${thread.runsIn}</small></h3>
          ${
            thread.silentSince === undefined
              ? nothing
              : html`<p class="silence">silent since ${new Date(thread.silentSince).toLocaleTimeString()}</p>`
          }
          ${children(thread.owns)}
        </li>`,
    )}
  </ul>`;
}

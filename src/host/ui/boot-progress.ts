import { css, html, nothing } from "lit";
import { isBooting } from "../boot-steps.ts";
import type { BootStep } from "../state.ts";
import { HostElement } from "./host-element.ts";
import { checkIcon } from "./icons.ts";
import { sharedStyles } from "./shared-styles.ts";

const SAID: Readonly<Record<BootStep["state"], string>> = {
  waiting: "to come",
  active: "under way",
  done: "done",
  failed: "failed",
};

/** The steps of a boot or restore, while there are some to come. */
export class BootProgressElement extends HostElement {
  static override styles = [
    sharedStyles,
    css`
      ol {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 4px 6px;
        margin: 0;
        padding: 0;
        list-style: none;
        font-size: 12.5px;
      }
      li {
        display: flex;
        align-items: center;
        gap: 7px;
        padding: 4px 12px 4px 9px;
        border-radius: 999px;
        color: var(--quiet);
      }
      li.active {
        background: var(--accent-soft);
        color: var(--accent);
        font-weight: 600;
      }
      li.failed {
        background: var(--bad-soft);
        color: var(--bad);
        font-weight: 600;
      }
      li.done {
        color: var(--good);
      }
      .mark {
        display: grid;
        place-items: center;
        width: 16px;
        height: 16px;
      }
      .mark::before {
        content: "";
        width: 7px;
        height: 7px;
        border-radius: 50%;
        background: currentColor;
        opacity: 0.45;
      }
      .done .mark::before {
        content: none;
      }
      .active .mark::before {
        opacity: 1;
        /* In steps: where the browser draws in software, each frame of an animation costs as much as a machine. */
        animation: breathe 1.4s steps(6, jump-none) infinite alternate;
      }
      .detail {
        font-weight: 400;
        font-variant-numeric: tabular-nums;
      }
      .bar {
        height: 3px;
        width: min(420px, 100%);
        margin: 8px auto 0;
        border-radius: 2px;
        background: var(--line);
        overflow: hidden;
      }
      .bar span {
        display: block;
        height: 100%;
        background: var(--accent);
        border-radius: 2px;
        transition: width 300ms;
      }
      @keyframes breathe {
        50% {
          transform: scale(0.55);
          opacity: 0.5;
        }
      }
    `,
  ];

  override render() {
    const { steps } = this.hostState;
    if (!isBooting(steps)) return nothing;
    const active = steps.find(({ state }) => state === "active");
    const percent = Math.round((active?.progress ?? 0) * 100);
    return html`
      <ol aria-label="Boot progress">
        ${steps.map(
          (step) => html`
            <li class=${step.state} aria-current=${step.state === "active" ? "step" : nothing}>
              <span class="mark">${step.state === "done" ? checkIcon : nothing}</span>
              <span>${step.label}<span class="visually-hidden">, ${SAID[step.state]}</span></span>
              ${step.detail === undefined ? nothing : html`<span class="detail">${step.detail}</span>`}
            </li>
          `,
        )}
      </ol>
      ${
        active?.progress === undefined
          ? nothing
          : html`<div class="bar" role="progressbar" aria-label=${active.label} aria-valuenow=${percent}>
              <span .style=${`width: ${percent}%`}></span>
            </div>`
      }
      <div class="visually-hidden" role="status">${active?.label ?? ""}</div>
    `;
  }
}

import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { INSPECT_INTERVAL_MS } from "../limits.ts";
import type { LogLine } from "../../log/index.ts";
import type { GraphThread } from "../ownership-graph.ts";
import { ownershipGraph } from "../ownership-graph.ts";
import { graphStyles, graphView } from "./graph-view.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

/** Who owns what, in all threads, live while it is open. */
export class ThreadsPanelElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    threads: { state: true },
    isLarge: { state: true },
    log: { state: true },
    failure: { state: true },
  };
  static override styles = [
    sharedStyles,
    graphStyles,
    css`
      summary {
        margin: 0;
        font-size: 12px;
        font-weight: 600;
        letter-spacing: 0.06em;
        text-transform: uppercase;
        color: var(--quiet);
        cursor: pointer;
      }
      h3#log {
        margin: 18px 0 6px;
        font-size: 12.5px;
        font-weight: 600;
      }
      .log {
        max-height: 260px;
        margin: 0;
        padding: 8px 10px;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: 8px;
        list-style: none;
        font-size: 12.5px;
        line-height: 1.45;
      }
      .log li + li {
        margin-top: 4px;
      }
      .log p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .log .warning,
      .log .critical,
      .log .error {
        color: var(--bad);
        font-weight: 500;
      }
      .legend {
        margin: 0;
      }
      details > .head {
        margin-top: 8px;
      }
      .legend code {
        color: var(--accent);
        font-weight: 600;
      }
      dialog {
        width: min(1280px, 100vw - 32px);
        max-width: none;
        height: calc(100dvh - 32px);
        max-height: none;
        padding: 16px 20px;
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--card);
        color: var(--text);
        box-shadow: var(--shadow);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
      }
      .head h2 {
        margin: 0;
      }
    `,
  ];
  declare private threads: readonly GraphThread[];
  declare private isLarge: boolean;
  declare private log: readonly LogLine[];
  declare private failure: string;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.threads = [];
    this.isLarge = false;
    this.log = [];
    this.failure = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  override render() {
    const graph = graphView(this.threads, this.#go);
    return html`<details @toggle=${this.#toggled}>
      <summary>Threads</summary>
      ${this.failure === "" ? nothing : html`<p class="small quiet">${this.failure}</p>`}
      <div class="head">
        <p class="legend small quiet"><code>=&gt;</code> owns, <code>-&gt;</code> points to</p>
        <button class="plain" ?hidden=${this.threads.length === 0} @click=${this.#enlarge}>Show large</button>
      </div>
      ${this.isLarge ? nothing : graph}
      <h3 id="log">Log</h3>
      ${
        this.log.length === 0
          ? html`<p class="small quiet">Nothing has gone wrong.</p>`
          : html`<ul class="log" aria-labelledby="log" tabindex="0">
              ${this.log.map(lineView)}
            </ul>`
      }
      <dialog aria-labelledby="large" @close=${() => (this.isLarge = false)}>
        <div class="head">
          <h2 id="large">Who owns what</h2>
          <p class="legend small quiet"><code>=&gt;</code> owns, <code>-&gt;</code> points to</p>
          <form method="dialog"><button>Close</button></form>
        </div>
        ${this.isLarge ? graph : nothing}
      </dialog>
    </details>`;
  }

  #enlarge = (): void => {
    this.isLarge = true;
    this.renderRoot.querySelector("dialog")?.showModal();
  };

  /** Follows a pointer. */
  #go = (id: string): void => {
    this.renderRoot.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  };

  #toggled = (event: Event): void => {
    clearInterval(this.#timer);
    if (!(event.currentTarget as HTMLDetailsElement).open) return;
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), INSPECT_INTERVAL_MS);
  };

  async #look(): Promise<void> {
    try {
      this.log = this.host?.log ?? [];
      const inspection = await this.host?.inspect();
      this.threads = inspection ? ownershipGraph(inspection) : [];
      this.failure = "";
    } catch (error) {
      this.threads = [];
      this.failure = (error as Error).message;
    }
  }
}

/** Levels are told by words, not by colour alone. */
function lineView({ thread, domain, level, message, count, at }: LogLine): TemplateResult {
  return html`<li>
    <div class="small quiet">
      ${new Date(at).toLocaleTimeString()} · ${thread}, ${domain} · <span class=${level}>${level}</span>${
        count === 1 ? nothing : html` · ${count.toLocaleString("en")} times`
      }
    </div>
    <p>${message === "" ? html`<span class="quiet">(an empty line)</span>` : message}</p>
  </li>`;
}

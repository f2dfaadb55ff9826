import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { INSPECT_INTERVAL_MS } from "../limits.ts";
import type { LogLine } from "../../log/index.ts";
import type { ThreadNode } from "../state.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

/** Who owns what, in all threads, live while it is open. */
export class ThreadsPanelElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    threads: { state: true },
    log: { state: true },
    failure: { state: true },
  };
  static override styles = [
    sharedStyles,
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
      ul {
        margin: 6px 0 0;
        padding: 0 0 0 14px;
        border-left: 1px solid var(--line);
        list-style: none;
        font-size: 12.5px;
        line-height: 1.45;
      }
      details > ul {
        margin-top: 12px;
        padding: 0;
        border: 0;
      }
      li + li {
        margin-top: 4px;
      }
      details > ul > li + li {
        margin-top: 12px;
      }
      h3 {
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
      .name {
        font-weight: 500;
      }
      .thread > .name {
        font: 600 13px var(--mono);
        color: var(--accent);
      }
    `,
  ];
  declare private threads: readonly ThreadNode[];
  declare private log: readonly LogLine[];
  declare private failure: string;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.threads = [];
    this.log = [];
    this.failure = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  override render() {
    return html`<details @toggle=${this.#toggled}>
      <summary>Threads</summary>
      ${this.failure === "" ? nothing : html`<p class="small quiet">${this.failure}</p>`}
      <ul>
        ${this.threads.map((thread) => nodeView(thread, "thread"))}
      </ul>
      <h3 id="log">Log</h3>
      ${
        this.log.length === 0
          ? html`<p class="small quiet">Nothing has gone wrong.</p>`
          : html`<ul class="log" aria-labelledby="log" tabindex="0">
              ${this.log.map(lineView)}
            </ul>`
      }
    </details>`;
  }

  #toggled = (event: Event): void => {
    clearInterval(this.#timer);
    if (!(event.currentTarget as HTMLDetailsElement).open) return;
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), INSPECT_INTERVAL_MS);
  };

  async #look(): Promise<void> {
    try {
      this.log = this.host?.log ?? [];
      this.threads = (await this.host?.inspect()) ?? [];
      this.failure = "";
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }
}

function nodeView(node: ThreadNode, className = ""): TemplateResult {
  return html`<li class=${className}>
    <span class="name">${node.name}</span>
    ${node.detail === undefined ? nothing : html` <span class="quiet">${node.detail}</span>`}
    ${
      node.children === undefined || node.children.length === 0
        ? nothing
        : html`<ul>
            ${node.children.map((child) => nodeView(child))}
          </ul>`
    }
  </li>`;
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

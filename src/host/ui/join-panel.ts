import { css, html, nothing } from "lit";
import { CONNECTION_FILE_TYPE } from "../../formats/index.ts";
import { connectionFile, remoteViewerCommand, spiceUris } from "../join.ts";
import { passwordEndWords } from "../password-end.ts";
import type { JoinState } from "../state.ts";
import { HostElement } from "./host-element.ts";
import { checkIcon, copyIcon, downloadIcon, eyeIcon } from "./icons.ts";
import { sharedStyles } from "./shared-styles.ts";

const RELAY_WORDS = {
  connecting: "Connecting to the relay …",
  connected: "Any SPICE client can join now.",
  lost: "the relay is gone",
  occupied: "Another browser hosts now.",
  vacant: "Nobody hosts the machine yet.",
  refused: "The relay does not take this page's secret.",
} as const;

/** Whether anybody can join now, and if not, why. */
function relayWords({ relay, relayReason }: JoinState): string {
  if (relay !== "lost") return RELAY_WORDS[relay];
  return `Nobody can join now: ${relayReason ?? RELAY_WORDS.lost}. Trying again …`;
}

/** Milliseconds that a browser's timer may wait at most; more is taken for none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How other programs join: address, command, file, password. */
export class JoinPanelElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    copied: { state: true },
    revealed: { state: true },
  };
  static override styles = [
    sharedStyles,
    css`
      .line {
        display: flex;
        align-items: center;
        gap: 4px;
        margin-bottom: 8px;
        padding: 4px 4px 4px 12px;
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--ground);
      }
      .line code {
        flex: 1;
        min-width: 0;
        overflow-x: auto;
        white-space: nowrap;
        scrollbar-width: none;
      }
      .state {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .state::before {
        content: "";
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--quiet);
      }
      .state.connected::before {
        background: var(--good);
      }
      .state.lost::before,
      .state.occupied::before,
      .state.refused::before {
        background: var(--bad);
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 12px;
        align-items: center;
        margin: 12px 0 0;
        font-size: 12.5px;
      }
      dt {
        color: var(--quiet);
      }
      dd {
        display: flex;
        align-items: center;
        gap: 4px;
        margin: 0;
        min-width: 0;
      }
      dd code {
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare private copied: string;
  declare private revealed: boolean;
  #passwordTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.copied = "";
    this.revealed = false;
  }

  /** The password's end is no event of the host: what is said about it changes by itself. */
  override updated(): void {
    clearTimeout(this.#passwordTimer);
    const leftMs = (this.hostState.join.passwordValidUntil ?? 0) - Date.now();
    if (leftMs > 0)
      this.#passwordTimer = setTimeout(() => this.requestUpdate(), Math.min(leftMs, MAX_TIMER_MS));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#passwordTimer);
  }

  override render() {
    const { join, version } = this.hostState;
    // Whoever has no configuration (which names its version) is told how to join, but of no password.
    const isHost = version !== "";
    const [uri, ...others] = spiceUris(join);
    return html`
      <h2 id="title">Join</h2>
      <p class="state ${join.relay}" role="status">${relayWords(join)}</p>
      ${
        join.webSocketUrl === ""
          ? nothing
          : html`
              ${uri === undefined ? nothing : this.#dial(uri)}
              <dl>
                ${
                  uri === undefined
                    ? html`<dt>SPICE</dt>
                        <dd>over TCP only on the computer that runs spicetab</dd>`
                    : nothing
                }
                ${others.map(
                  (other) => html`
                    <dt>Or</dt>
                    <dd><code>${other}</code>${this.#copyButton(other, "SPICE address")}</dd>
                  `,
                )}
                <dt>WebSocket</dt>
                <dd>
                  <code>${join.webSocketUrl}</code>${this.#copyButton(join.webSocketUrl, "WebSocket address")}
                </dd>
                ${
                  isHost
                    ? html`<dt>Password</dt>
                        <dd>
                          ${join.password === "" ? html`<span class="quiet">none</span>` : this.#password(join.password)}
                        </dd>
                        ${
                          join.passwordValidUntil === undefined
                            ? nothing
                            : html`<dt></dt>
                                <dd class="quiet">${passwordEndWords(join.passwordValidUntil)}</dd>`
                        }`
                    : nothing
                }
              </dl>
            `
      }
    `;
  }

  #dial(uri: string) {
    return html`
      ${this.#line(remoteViewerCommand(uri), "remote-viewer command")} ${this.#line(uri, "SPICE address")}
      <div class="row">
        <button @click=${this.#download}>${downloadIcon} Connection file</button>
      </div>
    `;
  }

  #line(text: string, what: string) {
    return html`<div class="line"><code>${text}</code>${this.#copyButton(text, what)}</div>`;
  }

  #copyButton(text: string, what: string) {
    const done = this.copied === text;
    return html`<button
      class="icon plain"
      aria-label=${done ? `${what} copied` : `Copy ${what}`}
      title="Copy"
      @click=${() => this.#copy(text)}
    >
      ${done ? checkIcon : copyIcon}
    </button>`;
  }

  #password(password: string) {
    return html`<code>${this.revealed ? password : "•".repeat(8)}</code>
      <button
        class="icon plain"
        aria-pressed=${this.revealed}
        aria-label="Show password"
        title="Show password"
        @click=${() => (this.revealed = !this.revealed)}
      >
        ${eyeIcon}</button
      >${this.#copyButton(password, "password")}`;
  }

  async #copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text);
    this.copied = text;
    setTimeout(() => (this.copied = ""), 2_000);
  }

  #download(): void {
    const file = connectionFile(this.hostState.join);
    if (file === undefined) return;
    const url = URL.createObjectURL(new Blob([file], { type: CONNECTION_FILE_TYPE }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "spicetab.vv";
    link.click();
    // The download has its own hold on the blob once it has begun.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}

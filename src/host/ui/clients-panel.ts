import { css, html } from "lit";
import { HostElement } from "./host-element.ts";
import { screenIcon } from "./icons.ts";
import { sharedStyles } from "./shared-styles.ts";

/** Who is connected, and who was not let in. */
export class ClientsPanelElement extends HostElement {
  static override styles = [
    sharedStyles,
    css`
      ul {
        display: grid;
        gap: 10px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        gap: 10px;
      }
      .mark {
        display: grid;
        place-items: center;
        width: 32px;
        height: 32px;
        flex: none;
        border-radius: 8px;
        background: var(--accent-soft);
        color: var(--accent);
      }
      .who {
        min-width: 0;
        line-height: 1.35;
      }
      .refusals p {
        margin: 10px 0 0;
        color: var(--bad);
      }
      .who code {
        overflow-wrap: anywhere;
      }
    `,
  ];

  override render() {
    const { clients, refusals } = this.hostState;
    return html`
      <h2>Connected</h2>
      ${
        clients.length === 0
          ? html`<p class="quiet">Nobody but you.</p>`
          : html`<ul>
              ${clients.map(
                ({ address, transport, channels, since }) =>
                  html`<li>
                    <span class="mark">${screenIcon}</span>
                    <div class="who">
                      <code>${address}</code>
                      <div class="small quiet">
                        ${transport === "websocket" ? "WebSocket" : transport.toUpperCase()} · since
                        ${clock(since)}
                      </div>
                      <div class="small quiet">${channels.join(", ")}</div>
                    </div>
                  </li>`,
              )}
            </ul>`
      }
      <div class="refusals" role="status">
        ${refusals.map(
          ({ host, words, at }) =>
            html`<p class="small">Not let in at ${clock(at)}: <code>${host}</code>, ${words}</p>`,
        )}
      </div>
      <div class="visually-hidden" role="status">
        ${clients.length === 1 ? "1 client connected" : `${clients.length} clients connected`}
      </div>
    `;
  }
}

function clock(time: number): string {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

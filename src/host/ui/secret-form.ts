import { css, html, nothing } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { readSecret } from "../secret.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

/** Asks for the secret of the server's start, and tells where it is to be found. */
export class SecretFormElement extends HostElement {
  static override properties = { ...HostElement.properties, isBusy: { state: true } };
  static override styles = [
    sharedStyles,
    css`
      label {
        display: block;
        margin-bottom: 4px;
        font-weight: 500;
      }
      input {
        flex: 1;
        min-width: 0;
        min-height: 32px;
        padding: 0 10px;
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--ground);
        color: var(--text);
        font: inherit;
      }
      form {
        margin-top: 12px;
      }
    `,
  ];
  declare private isBusy: boolean;
  readonly #input = createRef<HTMLInputElement>();

  constructor() {
    super();
    this.isBusy = false;
  }

  override render() {
    const refused = this.hostState.secretRefused === true;
    return html`
      <p class="quiet" id="where">
        The terminal in which spicetab runs shows an address that ends in <code>#secret=…</code>: open that
        address, or paste it here.
      </p>
      <form @submit=${this.#submit}>
        ${
          refused
            ? html`<div class="problem" role="alert" id="refused">
                The server does not take the secret that this page has. Each start of spicetab makes a new
                one.
              </div>`
            : nothing
        }
        <label for="secret">Address or secret</label>
        <div class="row">
          <input
            ${ref(this.#input)}
            id="secret"
            type="password"
            autocomplete="off"
            spellcheck="false"
            required
            aria-describedby="where"
            aria-invalid=${refused}
          />
          <button class="primary" ?disabled=${this.isBusy}>Host the machine</button>
        </div>
      </form>
    `;
  }

  override firstUpdated(): void {
    // Beside a running machine the keyboard stays where it is.
    if (this.hostState.phase === "locked") this.#input.value?.focus();
  }

  #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const input = this.#input.value;
    if (input === undefined || this.isBusy) return;
    this.isBusy = true;
    await this.host?.unlock(readSecret(input.value)).catch(() => {});
    this.isBusy = false;
    input.select();
  };
}

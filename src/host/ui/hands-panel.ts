import { css, html, nothing } from "lit";
import { KeyboardLayout, LAYOUT_NAMES } from "../../keyboard/index.ts";
import type { HandsSetting, ScreenSizing } from "../hands/keyboard-setting.ts";
import { MAX_DISPLAYS } from "../../protocol/limits.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

const LAYOUTS = LAYOUT_NAMES.map((name) => new KeyboardLayout(name));

const SIZINGS: readonly (readonly [ScreenSizing, string])[] = [
  ["follow", "takes the size of this page"],
  ["fill", "is scaled to this page"],
  ["own", "keeps its own size"],
];

/** Keyboard and screen: which layout the machine has, what keys mean, and which size its screen takes. Changes of `setting` come as a "settingchange" event. */
export class HandsPanelElement extends HostElement {
  static override properties = { ...HostElement.properties, setting: { attribute: false } };
  static override styles = [
    sharedStyles,
    css`
      label {
        display: grid;
        grid-template-columns: 96px minmax(0, 1fr);
        align-items: center;
        gap: 8px;
        margin-bottom: 8px;
      }
      select {
        min-height: 32px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 8px;
        background: var(--card);
        color: var(--text);
        font: inherit;
      }
    `,
  ];
  declare setting: HandsSetting;

  constructor() {
    super();
    this.setting = { mode: "characters", sizing: "follow" };
  }

  override render() {
    const { keyboard, displays } = this.hostState;
    const isWaiting = keyboard.wanted !== keyboard.layout;
    return html`
      <h2>Keyboard and screen</h2>
      <label>
        Layout
        <select @change=${this.#layout}>
          ${LAYOUTS.map(
            ({ name, title }) =>
              html`<option value=${name} ?selected=${name === keyboard.wanted}>${title}</option>`,
          )}
        </select>
      </label>
      <label>
        Keys mean
        <select @change=${this.#mode}>
          <option value="characters" ?selected=${this.setting.mode === "characters"}>
            what they say here
          </option>
          <option value="positions" ?selected=${this.setting.mode === "positions"}>
            their place, as on a cable
          </option>
        </select>
      </label>
      <label>
        Screen
        <select @change=${this.#sizing}>
          ${SIZINGS.map(
            ([sizing, words]) =>
              html`<option value=${sizing} ?selected=${this.setting.sizing === sizing}>${words}</option>`,
          )}
        </select>
      </label>
      <label>
        Displays
        <select @change=${this.#displays}>
          ${Array.from(
            { length: MAX_DISPLAYS },
            (_, index) =>
              html`<option value=${index + 1} ?selected=${index + 1 === displays.wanted}>
                ${index + 1}
              </option>`,
          )}
        </select>
      </label>
      ${
        displays.wanted === displays.present
          ? nothing
          : html`<p class="small">
                The machine gets ${displays.wanted === 1 ? "one display" : `${displays.wanted} displays`} when
                it boots anew. What was saved of it belongs to
                ${displays.present === 1 ? "one" : displays.present}.
              </p>
              <button @click=${() => void this.host?.bootFresh().catch(() => {})}>Boot now</button>`
      }
      <div class="small quiet" role="status">
        ${isWaiting ? `The machine still has ${new KeyboardLayout(keyboard.layout).title}.` : nothing}
      </div>
    `;
  }

  #layout = (event: Event): void => {
    this.host?.setKeyboardLayout((event.target as HTMLSelectElement).value).catch(() => {});
  };

  #mode = (event: Event): void => {
    const mode = (event.target as HTMLSelectElement).value === "positions" ? "positions" : "characters";
    this.#change({ mode });
  };

  #displays = (event: Event): void => {
    this.host?.setDisplays(Number((event.target as HTMLSelectElement).value));
  };

  #sizing = (event: Event): void => {
    this.#change({ sizing: (event.target as HTMLSelectElement).value as ScreenSizing });
  };

  #change(change: Partial<HandsSetting>): void {
    this.dispatchEvent(new CustomEvent("settingchange", { detail: { ...this.setting, ...change } }));
  }
}

import { css, html, nothing } from "lit";
import { KeyboardLayout, LAYOUT_NAMES } from "../../keyboard/index.ts";
import type { HandsSetting } from "../hands/keyboard-setting.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

const LAYOUTS = LAYOUT_NAMES.map((name) => new KeyboardLayout(name));

/** The keyboard: which layout the machine has, and what keys mean. Changes of `setting` come as a "settingchange" event. */
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
    this.setting = { mode: "characters" };
  }

  override render() {
    const { keyboard, level } = this.hostState;
    const isWaiting = keyboard.wanted !== keyboard.layout && level === "desktop";
    return html`
      <h2>Keyboard</h2>
      <label>
        Layout
        <select ?disabled=${level !== "desktop"} @change=${this.#layout}>
          ${LAYOUTS.map(
            ({ name, title }) =>
              html`<option value=${name} ?selected=${name === (level === "desktop" ? keyboard.wanted : "us")}>
                ${title}
              </option>`,
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

  #change(change: Partial<HandsSetting>): void {
    this.dispatchEvent(new CustomEvent("settingchange", { detail: { ...this.setting, ...change } }));
  }
}

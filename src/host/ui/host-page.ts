import { html, nothing } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { chord } from "../../keyboard/index.ts";
import { FULLSCREEN_TOLD_MS } from "../limits.ts";
import { readHandsSetting, writeHandsSetting } from "../hands/keyboard-setting.ts";
import type { HandsSetting } from "../hands/keyboard-setting.ts";
import type { MachinePhase } from "../state.ts";
import { HostElement } from "./host-element.ts";
import {
  downloadIcon,
  fullscreenIcon,
  keyboardIcon,
  logoIcon,
  panelIcon,
  pauseIcon,
  resumeIcon,
} from "./icons.ts";
import type { MachineScreenElement } from "./machine-screen.ts";
import { pageStyles } from "./page-styles.ts";
import { isBootNews, problemView } from "./problem-view.ts";
import { sharedStyles } from "./shared-styles.ts";

const END_WORDS = { poweredOff: "Off", halted: "Halted", panicked: "Panicked" } as const;

const PHASE_WORDS: Readonly<Record<MachinePhase, string>> = {
  starting: "Starting",
  booting: "Booting",
  restoring: "Restoring",
  running: "Running",
  paused: "Paused",
  ended: "Off",
  failed: "Stopped",
  locked: "Locked",
  elsewhere: "In another tab",
};

/** The whole page: the screen, and beside it what one needs around a machine. */
export class HostPageElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    isPanelOpen: { state: true },
    captured: { state: true },
    setting: { state: true },
  };
  static override styles = [sharedStyles, pageStyles];
  declare private isPanelOpen: boolean;
  declare private captured: boolean;
  declare private setting: HandsSetting;
  readonly #screen = createRef<MachineScreenElement>();

  constructor() {
    super();
    this.isPanelOpen = true;
    this.captured = false;
    this.setting = readHandsSetting();
  }

  override render() {
    const { phase, join, ended } = this.hostState;
    return html`
      <header>
        <h1>${logoIcon} spicetab</h1>
        <span class="phase ${phase} ${ended?.end ?? ""}" role="status">
          ${ended ? END_WORDS[ended.end] : PHASE_WORDS[phase]}
        </span>
        <span class="space"></span>
        ${this.#pauseButton()}
        <button
          class="plain wide"
          ?disabled=${phase !== "running" && phase !== "ended"}
          @click=${this.#secureAttention}
        >
          ${keyboardIcon} Ctrl+Alt+Del
        </button>
        <button
          class="icon plain touch"
          aria-label="Show the keyboard"
          title="Show the keyboard"
          @click=${() => this.#screen.value?.showKeyboard()}
        >
          ${keyboardIcon}
        </button>
        <button class="icon plain" aria-label="Full screen" title="Full screen" @click=${this.#fullscreen}>
          ${fullscreenIcon}
        </button>
        <button
          class="icon plain wide"
          aria-label="Side panel"
          title="Side panel"
          aria-expanded=${this.isPanelOpen}
          @click=${() => (this.isPanelOpen = !this.isPanelOpen)}
        >
          ${panelIcon}
        </button>
      </header>
      <main>
        ${phase === "elsewhere" ? this.#elsewhere() : phase === "locked" ? this.#locked() : this.#machine()}
      </main>
      ${
        this.isPanelOpen && phase === "locked" && join.webSocketUrl !== ""
          ? html`<aside aria-label="Machine"><join-panel .host=${this.host}></join-panel></aside>`
          : nothing
      }
      ${
        this.isPanelOpen && phase !== "elsewhere" && phase !== "locked"
          ? html`<aside aria-label="Machine">
              <join-panel .host=${this.host}></join-panel>
              <clients-panel .host=${this.host}></clients-panel>
              <hands-panel
                .host=${this.host}
                .setting=${this.setting}
                @settingchange=${this.#settingChanged}
              ></hands-panel>
              <snapshot-panel .host=${this.host}></snapshot-panel>
              <threads-panel .host=${this.host}></threads-panel>
            </aside>`
          : nothing
      }
    `;
  }

  #pauseButton() {
    const { phase } = this.hostState;
    const isPaused = phase === "paused";
    const words = isPaused ? "Let the machine go on" : "Pause the machine";
    return html`<button
      class="icon plain"
      aria-label=${words}
      title=${words}
      ?disabled=${!isPaused && phase !== "running"}
      @click=${() => void (isPaused ? this.host?.resume() : this.host?.pause())}
    >
      ${isPaused ? resumeIcon : pauseIcon}
    </button>`;
  }

  #machine() {
    const { problem, screenProblem, hosting, phase, secretRefused, snapshot, otherDisplays } = this.hostState;
    const shown = 1 + otherDisplays.filter(({ width }) => width > 0).length;
    return html`
      <div class="above">
        ${phase === "ended" ? nothing : html`<boot-progress .host=${this.host}></boot-progress>`}
        ${problem === undefined ? nothing : html`<div class="banner">${problemView(problem, this.#waysOn())}</div>`}
        ${
          snapshot.problem !== undefined && isBootNews(this.hostState)
            ? html`<div class="banner">${problemView(snapshot.problem, this.#goBack())}</div>`
            : nothing
        }
        ${screenProblem === undefined ? nothing : html`<div class="banner">${problemView(screenProblem)}</div>`}
        ${
          hosting === undefined
            ? nothing
            : html`<div class="banner">
                ${problemView(
                  hosting,
                  html`<button @click=${() => void this.host?.takeOver()}>Host here instead</button>`,
                )}
              </div>`
        }
        ${secretRefused ? html`<secret-form class="banner" .host=${this.host}></secret-form>` : nothing}
      </div>
      <div class="screens" data-shown=${shown}>
        <machine-screen
          ${ref(this.#screen)}
          .host=${this.host}
          .keyboardMode=${this.setting.mode}
          .sizing=${this.setting.sizing}
          @capturechange=${(event: CustomEvent<boolean>) => (this.captured = event.detail)}
        ></machine-screen>
        ${otherDisplays.map(({ screen, width }, index) =>
          screen === 0
            ? nothing
            : html`<machine-screen
                ?hidden=${width === 0}
                .display=${index + 1}
                .host=${this.host}
                .keyboardMode=${this.setting.mode}
                .sizing=${this.setting.sizing}
                @capturechange=${(event: CustomEvent<boolean>) => (this.captured = event.detail)}
              ></machine-screen>`,
        )}
      </div>
      <footer>
        ${
          phase === "ended"
            ? nothing
            : this.captured
              ? html`<span><kbd>Ctrl</kbd> + left <kbd>Alt</kbd> frees the keyboard</span>`
              : html`<span>Click the screen to type into the machine</span>`
        }
      </footer>
    `;
  }

  /** What can be done about a machine that does not run. */
  #waysOn() {
    const { phase, snapshot } = this.hostState;
    if (phase === "failed") return html`<button @click=${() => this.#boot()}>Boot again</button>`;
    if (phase !== "ended") return undefined;
    return html`
      <button class="primary" @click=${() => this.#bootFresh()}>Boot</button>
      ${snapshot.savedAt === undefined ? nothing : this.#goBack()}
    `;
  }

  #goBack() {
    return html`<button @click=${() => this.#boot()}>Go back to what was saved</button>`;
  }

  #elsewhere() {
    return html`<div class="notice">
      <h2>The machine runs in another tab</h2>
      <p class="quiet">
        One browser runs it once. Bringing it here saves it there and goes on from that moment; those who are
        connected join again.
      </p>
      <div class="row">
        <button class="primary" @click=${() => void this.host?.takeOver()}>Bring it here</button>
      </div>
    </div>`;
  }

  #locked() {
    return html`<div class="notice">
      <h2>This page needs the secret of its server</h2>
      <secret-form .host=${this.host}></secret-form>
      <p class="quiet joining">Joining the machine with a SPICE client needs no secret:</p>
      <a class="button" href="spicetab.vv" download>${downloadIcon} Connection file</a>
    </div>`;
  }

  #boot(): void {
    this.host?.restore().catch(() => {});
  }

  #settingChanged = (event: CustomEvent<HandsSetting>): void => {
    this.setting = event.detail;
    writeHandsSetting(event.detail);
  };

  #bootFresh(): void {
    this.host?.bootFresh().catch(() => {});
  }

  #secureAttention = (): void => {
    this.host?.hand.keys(chord("ControlLeft", "AltLeft", "Delete"));
    this.#screen.value?.capture();
  };

  #fullscreen = async (): Promise<void> => {
    await this.requestFullscreen().catch(() => {});
    if (!this.matches(":fullscreen")) return;
    // Chromium can hand over Escape and the system's keys too; elsewhere they stay with the browser.
    const { keyboard } = navigator as Navigator & { keyboard?: { lock(): Promise<void> } };
    const locked =
      keyboard !== undefined &&
      (await keyboard.lock().then(
        () => true,
        () => false,
      ));
    this.#screen.value?.capture();
    this.#screen.value?.tell(
      locked
        ? "All keys go to the machine now, also Alt+Tab and the system's. Hold Escape to leave the full screen."
        : "Escape leaves the full screen.",
      FULLSCREEN_TOLD_MS,
    );
  };
}

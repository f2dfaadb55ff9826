import { html, nothing } from "lit";
import { momentWords } from "../moment-words.ts";
import { bytes } from "../count-words.ts";
import type { SnapshotState } from "../state.ts";
import { HostElement } from "./host-element.ts";
import { restartIcon, restoreIcon, saveIcon, trashIcon } from "./icons.ts";
import { isBootNews, problemView } from "./problem-view.ts";

const BUSY_WORDS = {
  restoring: "Restoring …",
  forgetting: "Forgetting …",
} as const;

/** What waits for a second click. */
type Action = "restore" | "earlier" | "fresh" | "forget";

/** The machine's kept state: save, go back, begin again, forget. */
export class SnapshotPanelElement extends HostElement {
  static override properties = { ...HostElement.properties, asking: { state: true } };
  /** The action that waits for a second click. */
  declare private asking: "" | Action;

  constructor() {
    super();
    this.asking = "";
  }

  override render() {
    const { snapshot, phase } = this.hostState;
    const idle = snapshot.busy === "none";
    const kept = snapshot.savedAt !== undefined;
    return html`
      <h2>State</h2>
      <p role="status">
        ${snapshot.busy === "none" ? keptWords(snapshot) : snapshot.busy === "saving" ? savingWords(snapshot) : BUSY_WORDS[snapshot.busy]}
      </p>
      ${snapshot.problem === undefined || isBootNews(this.hostState) ? nothing : problemView(snapshot.problem)}
      <div class="row">
        <button ?disabled=${!idle || phase !== "running"} @click=${() => this.#run("save")}>
          ${saveIcon} Save now
        </button>
        ${this.#asked("restore", "Restore", restoreIcon, !idle || !kept)}
        ${
          snapshot.earlier === undefined
            ? nothing
            : this.#asked("earlier", "Restore the one before", restoreIcon, !idle)
        }
        ${this.#asked("fresh", "Boot fresh", restartIcon, !idle || phase === "starting")}
        ${kept ? this.#asked("forget", "Forget", trashIcon, !idle) : nothing}
      </div>
      <div class="small quiet" role="status">${this.asking === "" ? nothing : ASKING[this.asking]}</div>
    `;
  }

  /** A button that says what would be lost before it does it. */
  #asked(action: Action, label: string, icon: unknown, disabled: boolean) {
    const sure = this.asking === action;
    return html`<button
      class=${sure ? "primary" : ""}
      ?disabled=${disabled}
      @click=${() => (sure ? this.#run(action) : (this.asking = action))}
      @blur=${() => sure && (this.asking = "")}
    >
      ${icon} ${sure ? `${label}, really` : label}
    </button>`;
  }

  #run(action: "save" | Action): void {
    this.asking = "";
    const { host } = this;
    if (host === undefined) return;
    const work = {
      save: () => host.save(),
      restore: () => host.restore(),
      earlier: () => host.restore({ earlier: true }),
      fresh: () => host.bootFresh(),
      forget: () => host.forget(),
    }[action]();
    // The state says what went wrong.
    work.catch(() => {});
  }
}

const ASKING = {
  restore: "What happened since the last save is lost.",
  earlier: "What runs now is lost; the last save stays until the next one.",
  fresh: "What runs now is lost; the kept state stays until the next save.",
  forget: "Both states go. The next visit then boots from the beginning.",
} as const;

function savingWords({ progress }: SnapshotState): string {
  return progress === undefined ? "Saving …" : `Saving … ${Math.round(progress * 100)} %`;
}

function keptWords({ savedAt, earlier, bytes: size, store, unsaved }: SnapshotState) {
  if (savedAt === undefined) return html`<span class="quiet">Nothing is kept yet.</span>`;
  return html`Saved ${momentWords(savedAt)}${unsaved ? ", used since" : ""}
    <span class="quiet">
      · ${bytes(size ?? 0)} ${store === "memory" ? "in memory: lost when this tab closes" : `in ${store}`}
    </span>
    ${
      earlier === undefined
        ? nothing
        : html`<br /><span class="small quiet">The one before: ${momentWords(earlier)}</span>`
    }`;
}

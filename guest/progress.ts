import { terminalLine, terminalText } from "../src/formats/index.ts";
import type { GuestBuildProgress } from "./index.ts";

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const STAGES: Record<GuestBuildProgress["stage"], string> = {
  index: "Reading the package index",
  download: "Downloading packages",
  unpack: "Unpacking packages",
  write: "Writing the image",
};

function amount({ stage, done, total }: GuestBuildProgress): string {
  const mib = (bytes: number) => (bytes / (1 << 20)).toFixed(1);
  return stage === "index" || stage === "download" ? `${mib(done)}/${mib(total)} MiB` : `${done}/${total}`;
}

/** How far a build is, as a few words. */
export function progressWords(progress: GuestBuildProgress): string {
  return `${STAGES[progress.stage]}, ${amount(progress)}`;
}

/** Shows a build to a person: a bar that redraws itself on a terminal, a line per stage elsewhere. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  #stage = "";
  #drawnAt = 0;
  #open = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  progress(progress: GuestBuildProgress): void {
    const title = STAGES[progress.stage];
    if (!this.#stream.isTTY) {
      if (title !== this.#stage) this.#stream.write(`${title}…\n`);
      this.#stage = title;
      return;
    }
    const finished = progress.done >= progress.total;
    const now = performance.now();
    if (title === this.#stage && !finished && now - this.#drawnAt < REDRAW_MS) return;
    this.#stage = title;
    this.#drawnAt = now;
    const filled =
      progress.total > 0 ? Math.round(Math.min(1, progress.done / progress.total) * BAR_WIDTH) : 0;
    const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    const line = terminalLine(`${title.padEnd(26)} ${bar} ${amount(progress)} ${progress.detail ?? ""}`);
    this.#stream.write(`\r\x1b[2K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
    this.#open = true;
  }

  /** A line of its own, below or instead of the bar; what a mirror made of it cannot command the terminal. */
  line(text: string): void {
    this.#stream.write(`${this.#open ? "\r\x1b[2K" : ""}${terminalText(text)}\n`);
    this.#open = false;
  }
}

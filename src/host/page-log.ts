import type { LogEntry, LogLine } from "../log/index.ts";
import { GatheredLog, LogRing } from "../log/index.ts";

/** The logs of all threads in one place, the page's own among them. */
export class PageLog implements Disposable {
  readonly #gathered = new GatheredLog();
  readonly #take = this.#gathered.from("page");
  /** The page's own. */
  readonly own = new LogRing({
    tell: (entries) => {
      this.#take(entries);
      return true;
    },
  });

  /** Newest first. */
  get lines(): readonly LogLine[] {
    return this.#gathered.lines;
  }

  /** What a thread of that name tells; another thread of the same name is another one. */
  from(thread: string): (message: { entries: readonly LogEntry[] }) => void {
    const take = this.#gathered.from(thread);
    return ({ entries }) => take(entries);
  }

  [Symbol.dispose](): void {
    this.own[Symbol.dispose]();
  }
}

import { dropOldest } from "./drop-oldest.ts";
import type { LogEntry } from "./log.ts";

/** An entry, and which thread's log it is in. */
export interface LogLine extends LogEntry {
  readonly thread: string;
}

/** The logs of several threads in one place, those of threads that are gone included. */
export class GatheredLog {
  readonly #lines = new Map<string, LogLine>();
  #threads = 0;

  /** @returns takes what a thread of that name tells; another thread of the same name is another one. */
  from(thread: string): (entries: readonly LogEntry[]) => void {
    const number = this.#threads++;
    return (entries) => {
      for (const entry of entries)
        this.#take(`${number} ${entry.level} ${entry.domain} ${entry.message}`, { ...entry, thread });
    };
  }

  #take(key: string, line: LogLine): void {
    this.#lines.delete(key);
    this.#lines.set(key, line);
    dropOldest(this.#lines, ({ thread, domain }) => thread === line.thread && domain === line.domain);
  }

  /** Newest first. */
  get lines(): readonly LogLine[] {
    return [...this.#lines.values()].toSorted((a, b) => b.at - a.at);
  }
}

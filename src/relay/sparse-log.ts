import { LOG_BURST, LOG_INTERVAL_MS, LOG_KINDS } from "./limits.ts";

/**
 * Says some lines of each kind as they come, and of more within a while only how many there were: whoever floods the relay
 * floods no terminal.
 */
export class SparseLog implements Disposable {
  readonly #log: (line: string) => void;
  readonly #intervalMs: number;
  /** Lines of each kind since its first one of this interval. */
  readonly #kinds = new Map<string, { lines: number; timer: NodeJS.Timeout }>();

  constructor(log: (line: string) => void, intervalMs = LOG_INTERVAL_MS) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  say(kind: string, line: string): void {
    if (this.#kinds.size >= LOG_KINDS && !this.#kinds.has(kind)) kind = "lines of other kinds";
    const recent = this.#kinds.get(kind) ?? this.#begin(kind);
    recent.lines++;
    if (recent.lines <= LOG_BURST) this.#log(line);
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#kinds.values()) clearTimeout(timer);
    this.#kinds.clear();
  }

  #begin(kind: string) {
    const timer = setTimeout(() => {
      const more = recent.lines - LOG_BURST;
      this.#kinds.delete(kind);
      if (more > 0) this.#log(`… and ${more} more: ${kind}`);
    }, this.#intervalMs).unref();
    const recent = { lines: 0, timer };
    this.#kinds.set(kind, recent);
    return recent;
  }
}

import { LOG_BURST, LOG_INTERVAL_MS, LOG_MESSAGE_CHARS, LOG_TELL_MS } from "./limits.ts";
import type { Log, LogEntry, LogLevel } from "./log.ts";
import { dropOldest } from "./drop-oldest.ts";

export interface LogRingOptions {
  /** Is given what is new or has counted on, at most each {@link LOG_TELL_MS}. False: nobody was there to take it. */
  readonly tell?: (entries: readonly LogEntry[]) => boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How much a domain has said lately. */
interface Domain {
  since: number;
  messages: number;
}

/**
 * A thread's log: of each domain the last {@link LOG_ENTRIES} different messages, with how often each came. Who speaks may be hostile: what one domain
 * says beyond its rate is counted, and neither made into words nor kept, so that it pushes out nothing of the others'.
 */
export class LogRing implements Log, Disposable {
  readonly #options: LogRingOptions;
  readonly #now: () => number;
  /** By level, domain and message; the one that came last is the last. */
  readonly #entries = new Map<string, LogEntry>();
  readonly #domains = new Map<string, Domain>();
  readonly #untold = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LogRingOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  log(level: LogLevel, domain: string, message: string | (() => string)): void {
    const now = this.#now();
    if (!this.#mayTell(domain, now)) {
      this.#keep("warning", domain, "more was said than is kept", now);
      return;
    }
    const words = (typeof message === "string" ? message : message()).slice(0, LOG_MESSAGE_CHARS);
    this.#keep(level, domain, words, now);
  }

  /** What is kept, oldest first. */
  get entries(): readonly LogEntry[] {
    return [...this.#entries.values()];
  }

  /** Somebody new listens: everything is told once more. */
  tellAll(): void {
    for (const key of this.#entries.keys()) this.#untold.add(key);
    this.#tellSoon();
  }

  #mayTell(domain: string, now: number): boolean {
    const told = this.#domains.get(domain) ?? { since: now, messages: 0 };
    this.#domains.set(domain, told);
    // A clock that was put back begins anew as well.
    if (now < told.since || now - told.since >= LOG_INTERVAL_MS)
      Object.assign(told, { since: now, messages: 0 });
    return ++told.messages <= LOG_BURST;
  }

  #keep(level: LogLevel, domain: string, message: string, at: number): void {
    const key = `${level} ${domain} ${message}`;
    const count = (this.#entries.get(key)?.count ?? 0) + 1;
    this.#entries.delete(key);
    this.#entries.set(key, { level, domain, message, count, at });
    const dropped = dropOldest(this.#entries, (entry) => entry.domain === domain);
    if (dropped !== undefined) this.#untold.delete(dropped);
    this.#untold.add(key);
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#options.tell === undefined || this.#timer !== undefined || this.#untold.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const news = [...this.#untold]
        .map((key) => this.#entries.get(key))
        .filter((entry) => entry !== undefined);
      if (this.#options.tell?.(news)) this.#untold.clear();
    }, LOG_TELL_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#untold.clear();
  }
}

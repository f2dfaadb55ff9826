/** Levels of g_log, as spice-server has them: a `critical` is a mistake of ours, a `warning` somebody else's. */
export type LogLevel = "error" | "critical" | "warning" | "message" | "info" | "debug";

/** Where people look for what went wrong. */
export interface Log {
  /**
   * @param domain which part says it, as G_LOG_DOMAIN; a fixed set, never made of foreign words
   * @param message words, or a function that makes them, called only if they are kept
   */
  log(level: LogLevel, domain: string, message: string | (() => string)): void;
}

/** What a log keeps: one message, however often it came. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly domain: string;
  readonly message: string;
  readonly count: number;
  /** Milliseconds since 1970, of the last time. */
  readonly at: number;
}

/** For who has no log. */
export const NO_LOG: Log = { log: () => {} };

/** What a dispatcher does with failures of its handlers. */
export function failureLogger(log: Log): (type: string, error: unknown) => void {
  return (type, error) =>
    log.log(
      "warning",
      "dispatcher",
      `"${type}" failed: ${error instanceof Error ? error.message : String(error)}`,
    );
}

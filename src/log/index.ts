/** The log of each thread: what went wrong, who did it, how often; gathered by the page. */
export * from "./gathered-log.ts";
export * from "./log.ts";
export * from "./log-ring.ts";

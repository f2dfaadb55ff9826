/** The codes of our errors, and how errors cross threads. */
export * from "./coded-error.ts";
export * from "./registry.ts";

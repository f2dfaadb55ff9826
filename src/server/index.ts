/** The SPICE server on core's thread: links, sessions, main and inputs channels, the agent, the relay's tunnel. */
export * from "./core.ts";
export type * from "./host-control.ts";
export * from "./limits.ts";
export { Reds } from "./reds.ts";
export { PasswordTooLong } from "./ticket.ts";

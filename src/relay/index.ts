/** The relay as a module: for the Vite plugin, the command line and tests. */
export { createRelay, ListenError, Relay, type RelayHealth, type RelayOptions } from "./relay.ts";
export { RelayClose, type RelayMessage, type RelayPeer, type SpiceAddress } from "../relay-control/index.ts";
export { DEFAULT_RELAY_LIMITS, type RelayLimits } from "./limits.ts";

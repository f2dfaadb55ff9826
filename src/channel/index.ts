/** What every channel client of the server has in common, on whichever thread its channel runs. */
export * from "./ack-window.ts";
export * from "./channel-tracker.ts";
export * from "./followed-wire.ts";
export * from "./limits.ts";
export * from "./link-watch.ts";
export * from "./message-cutter.ts";
export * from "./pipe.ts";
export * from "./red-channel-client.ts";
export * from "./whole-messages.ts";

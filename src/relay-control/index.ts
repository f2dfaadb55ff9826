/** What the relay and the hosting tab say to each other: one declaration for both ends. */
export * from "./close-codes.ts";
export * from "./messages.ts";

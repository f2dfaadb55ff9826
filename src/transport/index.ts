/** RedStream, a byte duplex with credits over a MessagePort, and the drivers that join it to a wire. */
export type * from "./contract.ts";
export * from "./limits.ts";
export * from "./pace.ts";
export * from "./pausable-socket.ts";
export * from "./red-stream.ts";
export * from "./turns.ts";
export * from "./websocket-driver.ts";
export type * from "./wire.ts";
export type { StreamPort } from "./local-port.ts";

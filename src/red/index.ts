/**
 * The red worker: surfaces, display and cursor channels of one QXL device, for whatever thread it runs on.
 * @packageDocumentation
 */
export { CursorChannel } from "./cursor-channel.ts";
export type { CursorState } from "./cursor-channel-client.ts";
export type { CursorShape } from "./cursor-shape.ts";
export { DisplayChannel } from "./display-channel.ts";
export type { DisplayTimeouts, PixelClient } from "./display-channel.ts";
export * from "./limits.ts";
export { NoSuchSurface, RedClientError, RedCommandError } from "./red-error.ts";
export { RedWorker } from "./red-worker.ts";
export type { RedWorkerOptions } from "./red-worker.ts";
export type { RedWorkerStart } from "./red-worker-start.ts";

/**
 * The red worker: surfaces, display and cursor channels of one QXL device, for whatever thread it runs on.
 * @packageDocumentation
 */
export { CursorChannel } from "./screen/cursor-channel.ts";
export type { CursorState } from "./screen/cursor-channel-client.ts";
export type { CursorShape } from "./screen/cursor-shape.ts";
export { DisplayChannel } from "./display/display-channel.ts";
export type { DisplayTimeouts, PixelClient } from "./display/display-channel.ts";
export * from "./limits.ts";
export { NoSuchSurface, RedClientError, RedCommandError } from "./red-error.ts";
export { RedWorker } from "./worker/red-worker.ts";
export type { RedWorkerOptions } from "./worker/red-worker.ts";
export type { RedWorkerStart } from "./worker/red-worker-start.ts";

/** How threads talk: dispatchers for control, liveness, and the declaration of every message. */
export { Dispatcher } from "./dispatcher.ts";
export type * from "./dispatcher.ts";
export * from "./errors.ts";
export * from "./limits.ts";
export * from "./liveness.ts";
export type * from "./inspection.ts";
export type * from "./messages.ts";
export { nextTask } from "./next-task.ts";
export type { NextTask } from "./next-task.ts";
export { TransferredAnswer } from "./receiver.ts";

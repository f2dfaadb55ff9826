/**
 * The QXL device over plain memory, and the batches that carry its commands to a red worker.
 * @packageDocumentation
 */
export { RedCommandBatcher } from "./batcher.ts";
export type { RedCommandBatcherOptions } from "./batcher.ts";
export type { QxlBar, QxlBus, QxlSink } from "./bus.ts";
export { QxlDevice } from "./device.ts";
export type { QxlDeviceOptions, QxlStats } from "./device-options.ts";
export { QxlGuestError, QxlStateError } from "./errors.ts";
export * from "./limits.ts";
export { RAM_HEADER_BYTES } from "./ram-header.ts";
export type { QxlClientHead } from "./rom.ts";
export { QXL_STATE_VERSION } from "./state.ts";
export type { QxlMode, QxlState } from "./state.ts";

/**
 * The QXL device over plain memory, the batches that carry its commands to a red worker, and recordings of such commands.
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
export { RecordingError } from "./recording-reader.ts";
export { readRecording } from "./recording.ts";
export type { RedCommandEvent } from "./recording.ts";
export type { QxlClientHead } from "./rom.ts";
export { QXL_STATE_VERSION } from "./state.ts";
export type { QxlMode, QxlState } from "./state.ts";

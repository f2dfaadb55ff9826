/**
 * Recordings of a guest's QXL commands, as spice-server's `SPICE_WORKER_RECORD_FILENAME` writes them.
 * @packageDocumentation
 */
export { RecordingError } from "./recording-reader.ts";
export { readRecording } from "./recording.ts";
export type { RedCommandEvent } from "./recording.ts";

/** Text that goes into another format is escaped by that format's own rules: one file for each. */
export { MAX_CLOSE_REASON_BYTES, closeReason } from "./close-reason.ts";
export { CONNECTION_FILE_TYPE, type Connection, connectionFile } from "./connection-file.ts";
export { UnrepresentableError } from "./errors.ts";
export { keyFileGroup, keyFileValue } from "./key-file.ts";
export { shellCommand, shellWord } from "./shell-word.ts";
export { spiceUrl, urlHost } from "./spice-url.ts";
export { terminalLine, terminalText } from "./terminal-text.ts";
export * from "./limits.ts";
export * from "./secret.ts";

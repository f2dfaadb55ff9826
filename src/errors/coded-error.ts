import type { ErrorCode } from "./registry.ts";

/** What a program may want to know beside the words. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** An error as plain data, for messages between threads. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

/** An error of ours: `code` says what it is to programs, `message` to people. */
export abstract class CodedError extends Error {
  abstract readonly code: ErrorCode;
}

/** Names that the platform gives to errors of its own, where they mean one of our codes. */
const PLATFORM_CODES: Readonly<Record<string, ErrorCode>> = { QuotaExceededError: "STORAGE_FULL" };

/** What is told of whatever was thrown: fields of the class that are plain go along as details. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { code: "UNEXPECTED", message: String(error) };
  const { message } = error;
  if (!(error instanceof CodedError)) return { code: PLATFORM_CODES[error.name] ?? "UNEXPECTED", message };
  const details = { ...detailsOf(error) };
  return Object.keys(details).length === 0
    ? { code: error.code, message }
    : { code: error.code, message, details };
}

/** The words of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function detailsOf(error: CodedError): ErrorDetails {
  if ("details" in error) return (error.details ?? {}) as ErrorDetails;
  const fields = Object.entries(error).filter(
    ([name, value]) =>
      name !== "name" && name !== "code" && ["string", "number", "boolean"].includes(typeof value),
  );
  return Object.fromEntries(fields) as ErrorDetails;
}

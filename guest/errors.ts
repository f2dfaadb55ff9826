import type { Allowance } from "./allowances.ts";

/**
 * What kind of thing went wrong: `usage` and `mirror` are the caller's to mend; `signature` is an index that Debian did
 * not sign, `stale` one of another time, `clock` this machine's own time, `lock` the lock file; the rest need a look at
 * the message.
 */
export type GuestBuildErrorCode =
  | "usage"
  | "mirror"
  | "download"
  | "signature"
  | "stale"
  | "clock"
  | "lock"
  | "package"
  | "image";

/** More about a failed build. */
export interface GuestBuildErrorDetails {
  packageName?: string | undefined;
  allowedBy?: Allowance | undefined;
  cause?: unknown;
}

/** A failed guest build: says which package (if one is to blame), what was wrong, and what to do. */
export class GuestBuildError extends Error {
  readonly code: GuestBuildErrorCode;
  /** Debian package name, when a single package is the cause. */
  readonly packageName: string | undefined;
  /** The exception that would have let the build go on; its option is in the message. */
  readonly allowedBy: Allowance | undefined;

  constructor(code: GuestBuildErrorCode, message: string, details: GuestBuildErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "GuestBuildError";
    this.code = code;
    this.packageName = details.packageName;
    this.allowedBy = details.allowedBy;
  }
}

/** The words of an unknown thrown value, for a message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's connection errors (AggregateError) have an empty message and only a code.
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}

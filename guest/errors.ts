/** What kind of thing went wrong; `usage` and `mirror` are the caller's to mend, the rest need a look at the message. */
export type GuestBuildErrorCode = "usage" | "mirror" | "download" | "signature" | "package" | "image";

/** A failed guest build: says which package (if one is to blame), what was wrong, and what to do. */
export class GuestBuildError extends Error {
  readonly code: GuestBuildErrorCode;
  /** Debian package name, when a single package is the cause. */
  readonly packageName: string | undefined;

  constructor(
    code: GuestBuildErrorCode,
    message: string,
    details: { packageName?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "GuestBuildError";
    this.code = code;
    this.packageName = details.packageName;
  }
}

/** The words of an unknown thrown value, for a message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's connection errors (AggregateError) have an empty message and only a code.
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}

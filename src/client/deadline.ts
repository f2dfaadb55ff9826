import { ClientError } from "./errors.ts";

/** How long something may take, and what ends it before. */
export interface DeadlineOptions {
  readonly deadlineMs: number;
  /** What is waited for, for people: "the reply to the link". */
  readonly what: string;
  readonly signal?: AbortSignal;
}

/**
 * The result of `work`, in time.
 * @throws ClientError `SERVER_SILENT`, or `CHANNEL_LEFT` when the signal is aborted; `work` goes on then, and its result is nobody's.
 */
export function within<T>(work: Promise<T>, { deadlineMs, what, signal }: DeadlineOptions): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const abort = () => end(() => reject(new ClientError("CHANNEL_LEFT", `${what}: given up`)));
    const timer = setTimeout(
      () => end(() => reject(new ClientError("SERVER_SILENT", `${what}: not within ${deadlineMs} ms`))),
      deadlineMs,
    );
    work.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
  });
}

/** One guest worker of a site at a time has the saved states. */
import { StateBusyError } from "./errors.ts";
import { STATE_LOCK_DEADLINE_MS } from "./limits.ts";

const LOCK = "spicetab:states";

/**
 * Waits until the worker before this one is gone, with all that it was still saving, and keeps others waiting until this one is. The
 * reloaded page then finds the moment that the page before it saved last.
 * @throws StateBusyError
 */
export const claimStates = (): Promise<void> =>
  new Promise((resolve, reject) => {
    navigator.locks
      .request(LOCK, { signal: AbortSignal.timeout(STATE_LOCK_DEADLINE_MS) }, () => {
        resolve();
        // Held for as long as the worker lives.
        return new Promise<never>(() => {});
      })
      .catch((cause: unknown) => reject(new StateBusyError(STATE_LOCK_DEADLINE_MS, { cause })));
  });

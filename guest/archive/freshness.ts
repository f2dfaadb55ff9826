import { GuestBuildError } from "../errors.ts";
import type { Exceptions } from "../exceptions.ts";
import { MAX_CLOCK_SKEW_MS } from "../limits.ts";
import type { Release } from "./release.ts";

/** A point in time for a message: day and minute in UTC. */
export function day(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What an index's dates are held against. */
export interface FreshnessCheck {
  suite: string;
  /** This machine's time, in milliseconds since 1970. */
  nowMs: number;
  /** Date of the index that the lock file was made from; undefined when it used none of this suite. */
  lockedMs: number | undefined;
  exceptions: Exceptions;
}

/**
 * Refuses an index of another time: replayed (older than the lock file's), expired, or of a day to come. Debian's own
 * signature is on all of them, so only the dates tell.
 * @throws GuestBuildError `stale`, or `clock` when this machine's clock must be wrong.
 */
export function checkFreshness(
  release: Release,
  { suite, nowMs, lockedMs, exceptions }: FreshnessCheck,
): void {
  const clock = (what: string) =>
    new GuestBuildError(
      "clock",
      `This machine's clock says ${day(nowMs)}, but ${what}. Set the clock and build again.`,
    );
  if (lockedMs !== undefined && lockedMs > nowMs + MAX_CLOCK_SKEW_MS)
    throw clock(`packages.lock.json was made from the index of ${day(lockedMs)}`);
  if (release.dateMs > nowMs + MAX_CLOCK_SKEW_MS)
    throw clock(`the index of ${suite} is of ${day(release.dateMs)}`);
  if (release.validUntilMs !== undefined && release.validUntilMs < nowMs)
    exceptions.except(
      "stale-index",
      "stale",
      `The index of ${suite} on this mirror expired on ${day(release.validUntilMs)}, and it is ${day(nowMs)} by this machine's clock.`,
      "Use another mirror (--mirror URL), or set the clock if it is wrong.",
    );
  if (lockedMs !== undefined && release.dateMs < lockedMs)
    exceptions.except(
      "stale-index",
      "stale",
      `The index of ${suite} on this mirror is of ${day(release.dateMs)}, older than the one that packages.lock.json was made from (${day(lockedMs)}).`,
      "The mirror is out of date or replays an old index: use another one (--mirror URL).",
    );
}

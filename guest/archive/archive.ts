import { GuestBuildError, reasonOf } from "../errors.ts";
import type { Exceptions } from "../exceptions.ts";
import type { LockFile } from "./lock.ts";
import { PackageIndex } from "./packages.ts";
import type { ArchiveSource } from "./source.ts";
import { readSuite, type Suite } from "./suite.ts";

/** The Debian release that the recipe is written for. */
export const CODENAME = "bookworm";

/** What an archive's index is held against. */
export interface IndexCheck {
  keyrings: readonly string[];
  /** This machine's time, in milliseconds since 1970. */
  nowMs: number;
  /** The suites that the lock file was made from. */
  locked: LockFile["suites"];
  exceptions: Exceptions;
}

/** The packages of an archive's signed indexes, and of which day those are. */
export interface ArchiveIndex {
  packages: PackageIndex;
  suites: Pick<Suite, "suite" | "dateMs">[];
}

/**
 * Reads the signed indexes of the main and the security suite.
 * @throws GuestBuildError when either cannot be had, is not signed, or is of another time
 */
export async function readIndex(source: ArchiveSource, check: IndexCheck): Promise<ArchiveIndex> {
  const { keyrings, nowMs, exceptions } = check;
  const read = (root: string, suite: string, archive: "main" | "security") => {
    const date = check.locked.find((entry) => entry.suite === suite)?.date;
    const lockedMs = date === undefined ? undefined : Date.parse(date);
    return readSuite(source, { root, suite, archive, keyrings, nowMs, lockedMs, exceptions });
  };
  const suites = [await read(source.mirror.main, CODENAME, "main")];
  const security = `${CODENAME}-security`;
  try {
    if (source.mirror.security === undefined)
      throw new GuestBuildError("mirror", `apt on this machine is set to no mirror of ${security}.`);
    suites.push(await read(source.mirror.security, security, "security"));
  } catch (error) {
    // A signature that is wrong is never an old or a half copied mirror.
    if (!(error instanceof GuestBuildError) || error.code === "signature" || error.code === "clock")
      throw error;
    if (error.allowedBy !== undefined && !exceptions.allows("missing-security")) throw error;
    exceptions.except(
      "missing-security",
      error.code,
      `There is no index of ${security}: ${reasonOf(error)}`,
      "Without it known holes stay open in what is taken.",
      { cause: error },
    );
  }
  return {
    packages: new PackageIndex(suites.flatMap(({ records }) => records)),
    suites: suites.map(({ suite, dateMs }) => ({ suite, dateMs })),
  };
}

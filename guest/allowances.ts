/**
 * What the builder refuses unless a person allows it by `--allow-<name>`, and what the build does then.
 * Nothing is on by default; what a build made use of stands in its manifest.
 */
export const ALLOWANCES = {
  "newer-packages": "replace pinned packages that have left the mirror by the signed index's newest",
  "missing-security": "do without the security archive's index where the mirror has no usable one",
  "stale-index": "take an index that has expired, or is older than the lock file",
  "missing-keyring": "take an index whose signature cannot be checked for want of Debian's keys",
} as const;

/** Name of an exception that a person may allow. */
export type Allowance = keyof typeof ALLOWANCES;

/** Every allowance, in the order of the help text. */
export const ALLOWANCE_NAMES = Object.keys(ALLOWANCES) as readonly Allowance[];

/** The command line option of an allowance, for builder and `npm start` alike. */
export function allowOption(allowance: Allowance): string {
  return `--allow-${allowance}`;
}

import { UsageError } from "./cli-options.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A point in time as ISO 8601 has it; without a zone it is this machine's own time. */
const MOMENT = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?$/;

/**
 * When a password ends, in milliseconds since 1970: a while from now or a point in time, which are the two forms of
 * QEMU's `expire_password`.
 * @throws UsageError
 */
export function readPasswordEnd(text: string, now: number = Date.now()): number {
  const span = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  const end = span ? now + Number(span[1]) * UNIT_MS[span[2]] : readMoment(text);
  if (Number.isNaN(end)) {
    throw new UsageError(
      `--password-expires must be a while like 30m, 2h or 7d, or a time like 2030-12-31T18:00, not "${text}"`,
    );
  }
  if (end <= now) throw new UsageError(`--password-expires is in the past: ${moment(end)}`);
  return end;
}

function readMoment(text: string): number {
  const [, year, month, day] = (MOMENT.exec(text) ?? []).map(Number);
  // Date makes the 3rd of March of a 31st of February.
  const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
  return exists ? Date.parse(text) : NaN;
}

/** A point in time for a terminal, in this machine's time and with its zone. */
export function moment(at: number): string {
  return new Date(at).toString().replace(/ \(.*\)$/, "");
}

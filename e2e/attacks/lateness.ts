import type { Verdict } from "./trial.ts";

/** How many times its quiet p99 an honest client may wait beside an attack. */
const TIMES = 2;

/** Milliseconds that the machine itself kept everybody waiting for longer: servers that nobody attacks show it. */
const machineMs = ({ bystander }: Verdict) => Math.max(0, bystander.during.p99Ms - bystander.quiet.p99Ms);

/** Why the honest client waited for too long, or undefined. */
export function latenessOf(verdict: Verdict): string | undefined {
  const { quiet, during } = verdict;
  const allowed = TIMES * quiet.p99Ms + machineMs(verdict);
  if (during.p99Ms <= allowed) return undefined;
  return `p99 of the honest client is ${during.p99Ms.toFixed(1)} ms; ${allowed.toFixed(1)} ms are allowed`;
}

/** What was measured, for a person. */
export function words({ quiet, during, bystander, rounds }: Verdict): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const ratio = (during.p99Ms / quiet.p99Ms).toFixed(2);
  return (
    `    honest client: p99 ${ms(quiet.p99Ms)} quiet, ${ms(during.p99Ms)} beside it (${ratio} times; p50 ` +
    `${ms(quiet.p50Ms)} and ${ms(during.p50Ms)}; max ${ms(during.maxMs)}; ${during.count} answers, ${rounds} rounds)\n` +
    `    servers that nobody attacks: p99 ${ms(bystander.quiet.p99Ms)} quiet, ${ms(bystander.during.p99Ms)} beside it ` +
    `(p50 ${ms(bystander.quiet.p50Ms)} and ${ms(bystander.during.p50Ms)})`
  );
}

/** The time stamp counter of v86's CPU, which counts nanoseconds of the host's monotonic clock, less an offset of its own. */
import type { V86Cpu } from "../v86/v86-private.ts";

/** Counts of the TSC in a millisecond. */
export const TSC_PER_MS = 1_000_000n;

/** What the guest would read now. */
export function readTsc(cpu: V86Cpu): bigint {
  cpu.store_current_tsc();
  const [low, high] = cpu.current_tsc;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** From now on the guest counts from `tsc`. */
export function writeTsc(cpu: V86Cpu, tsc: bigint): void {
  // v86 takes the new offset from what the old one makes of the clock, so it is right only where there is no old one:
  // a counter that is set to what it reads has none.
  set(cpu, readTsc(cpu));
  set(cpu, tsc);
}

function set(cpu: V86Cpu, tsc: bigint): void {
  cpu.set_tsc(Number(tsc & 0xffff_ffffn), Number((tsc >> 32n) & 0xffff_ffffn));
}

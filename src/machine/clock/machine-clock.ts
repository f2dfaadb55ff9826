/**
 * Time that passes outside the machine. The guest counts time by the TSC, which v86 takes from the host's monotonic clock. Where that
 * clock went on although the machine did not (it was paused, its tab was frozen), the guest would catch up with every tick it missed,
 * for minutes, and take itself for stalled; so the gap is taken out of the TSC, as a suspend takes it out of Linux's monotonic time.
 * Then the guest's wall clock is behind, as it is after a restore, after the host has slept, and when the host's clock was set: its
 * owner is told, and tells the guest.
 */
import { CLOCK_CHECK_MS, CLOCK_STEP_MS, OUTSIDE_GAP_MS } from "../limits.ts";
import { TSC_PER_MS, readTsc, writeTsc } from "./tsc.ts";
import type { V86Cpu } from "../v86/v86-private.ts";

export interface MachineClockOptions {
  readonly cpu: V86Cpu;
  /** The guest's wall clock is not the host's any more. */
  readonly onStep: () => void;
  /** Milliseconds of the clock that v86 runs by. */
  readonly now?: () => number;
  /** Milliseconds since 1970. */
  readonly wallNow?: () => number;
}

export class MachineClock {
  readonly #cpu: V86Cpu;
  readonly #onStep: () => void;
  readonly #now: () => number;
  readonly #wallNow: () => number;
  /** When the guest is to go on; undefined until it has rested once. */
  #dueAt: number | undefined;
  #checkedAt = -Infinity;
  /** The guest's clock is behind in any case. */
  #isBehind = false;
  /** Wall clock minus monotonic clock, as the guest last learnt it. */
  #offset: number;

  constructor({ cpu, onStep, now, wallNow }: MachineClockOptions) {
    this.#cpu = cpu;
    this.#onStep = onStep;
    this.#now = now ?? (() => performance.now());
    this.#wallNow = wallNow ?? (() => Date.now());
    this.#offset = this.#wallNow() - this.#now();
  }

  /** The guest goes on, by the end of its sleep or woken from outside. */
  goesOn(): void {
    const now = this.#now();
    const gap = this.#dueAt === undefined ? 0 : now - this.#dueAt;
    if (gap >= OUTSIDE_GAP_MS) {
      this.#holdBack(gap);
      this.#isBehind = true;
    }
    if (this.#isBehind || now - this.#checkedAt >= CLOCK_CHECK_MS) this.#compare(now);
  }

  /** The guest rests; it is to go on in `milliseconds`. */
  rests(milliseconds: number): void {
    this.#dueAt = this.#now() + milliseconds;
  }

  /** The machine has come out of a saved state: its clock stood still meanwhile. */
  restored(): void {
    this.#dueAt = undefined;
    this.#isBehind = true;
  }

  /** Takes `gap` milliseconds out of the TSC. */
  #holdBack(gap: number): void {
    const counted = readTsc(this.#cpu);
    const outside = BigInt(Math.round(gap)) * TSC_PER_MS;
    writeTsc(this.#cpu, counted > outside ? counted - outside : 0n);
  }

  #compare(now: number): void {
    this.#checkedAt = now;
    const offset = this.#wallNow() - now;
    const step = offset - this.#offset;
    if (!this.#isBehind && Math.abs(step) < CLOCK_STEP_MS) return;
    this.#isBehind = false;
    this.#offset = offset;
    if (step < 0) this.#settleRtc();
    this.#onStep();
  }

  /** v86's RTC keeps the host times of its next interrupts; after a step back they would all wait until that time comes again. */
  #settleRtc(): void {
    const { rtc } = this.#cpu.devices;
    const wall = this.#wallNow();
    if (rtc.next_interrupt > wall) rtc.next_interrupt = wall;
    if (rtc.update_interrupt_time > wall) rtc.update_interrupt_time = wall;
  }
}

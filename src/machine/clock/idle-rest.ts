/** How long a halted guest is left asleep. */
import { IDLE_AFTER_MS, IDLE_REST_MS, IDLE_SLICE_INSTRUCTIONS } from "../limits.ts";
import type { V86Cpu } from "../v86/v86-private.ts";

/** Modes of the PIT that fire once: 0, and 4, which Linux sets for each timer anew. */
const ONE_SHOT_MODES: readonly number[] = [0, 4];

/**
 * A kernel with a periodic tick (Debian's 686 kernel has 250 Hz and no NO_HZ) wakes an idle machine every four milliseconds for
 * nothing. Once a guest has done no more than that for a while, several ticks go into one sleep: Linux counts time by the TSC and
 * catches up with the ticks it missed. A timer of the guest may then be late by {@link IDLE_REST_MS}, less than a frame.
 * A guest that counts the PIT's own periods (BIOS, boot loaders, DOS) would lose time, so it is left alone.
 */
export class IdleRest {
  readonly #cpu: V86Cpu;
  readonly #now: () => number;
  #instructions: number;
  #activeAt: number;

  constructor(cpu: V86Cpu, now: () => number = () => performance.now()) {
    this.#cpu = cpu;
    this.#now = now;
    this.#instructions = cpu.instruction_counter[0];
    this.#activeAt = now();
  }

  /**
   * Milliseconds to sleep after a slice; 0: not at all.
   * @param milliseconds to the guest's next timer, as v86 says; 0 or less if it is not halted
   * @param woken whether something outside of the guest's own work (a key, data for a port) ends its sleep
   */
  sleep(milliseconds: number, woken: boolean): number {
    const instructions = this.#cpu.instruction_counter[0];
    const ran = (instructions - this.#instructions) >>> 0;
    this.#instructions = instructions;
    const now = this.#now();
    if (woken || ran > IDLE_SLICE_INSTRUCTIONS) this.#activeAt = now;
    if (milliseconds <= 0) return 0;
    // Below a millisecond v86 itself would spin, which is most of what a halted guest with a 250 Hz timer asks for.
    const due = Math.max(1, Math.ceil(milliseconds));
    const rests = now - this.#activeAt >= IDLE_AFTER_MS && this.#timerFiresOnce;
    return rests ? Math.max(due, IDLE_REST_MS) : due;
  }

  get #timerFiresOnce(): boolean {
    return ONE_SHOT_MODES.includes(this.#cpu.devices.pit.counter_mode[0]);
  }
}

/** Gives the thread away between two slices of the CPU, and lets an idle guest sleep: v86's own way spins then. */
import type { NextTask } from "../../dispatch/index.ts";
import { nextTask } from "../../dispatch/index.ts";
import { IdleRest } from "./idle-rest.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { V86Core } from "../v86/v86-private.ts";

/**
 * Replaces v86's yield. A busy guest goes on with the next task; an idle one sleeps as long as {@link IdleRest} says. A device
 * interrupt ends the sleep early: v86 then calls yield(0) with a new tick, and the old tick is ignored.
 * @param failed hears of an exception out of a slice (a fault of ours in a device, called from the guest's code), which would
 *   leave v86 standing without a word
 * @param clock hears when the guest rests and goes on
 */
export const replaceYield = (
  core: V86Core,
  failed: (error: Error) => void,
  clock?: Pick<MachineClock, "goesOn" | "rests">,
  next: NextTask = nextTask(),
): void => {
  core.unregister_yield();
  const rest = new IdleRest(core.cpu);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let inSlice = false;
  const slice = (tick: number): void => {
    clock?.goesOn();
    inSlice = true;
    try {
      core.yield_callback(tick);
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      inSlice = false;
    }
  };
  core.yield = (milliseconds, tick) => {
    clearTimeout(timer);
    if (!inSlice) clock?.goesOn();
    const sleep = rest.sleep(milliseconds, !inSlice);
    clock?.rests(sleep);
    if (sleep === 0) next(() => slice(tick));
    else timer = setTimeout(() => slice(tick), sleep);
  };
};

/**
 * Gives the thread away between two slices of the CPU. v86's own way spins while the guest idles: it treats a wait of
 * less than a millisecond as none, which is most of what a halted guest with a 250 Hz timer asks for.
 */
import type { V86Core } from "./v86-private.ts";

/** Runs `task` as the next macrotask, after timers and messages that are due; without the 4 ms clamp of nested timers. */
export type NextTask = (task: () => void) => void;

const nextTask = (): NextTask => {
  const immediate = (globalThis as { setImmediate?: (task: () => void) => void }).setImmediate;
  if (immediate) return (task) => void immediate(task);
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(0);
  };
};

/**
 * Runs a slice. An exception out of it (a fault of ours in a device, called from the guest's code) would leave v86
 * standing without a word.
 */
const slice = (core: V86Core, tick: number, failed: (error: Error) => void): void => {
  try {
    core.yield_callback(tick);
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
  }
};

/**
 * Replaces v86's yield. A busy guest goes on with the next task; an idle one sleeps whole milliseconds until its next
 * timer. A device interrupt ends the sleep early: v86 then calls yield(0) with a new tick, and the old tick is ignored.
 */
export const replaceYield = (
  core: V86Core,
  failed: (error: Error) => void,
  next: NextTask = nextTask(),
): void => {
  core.unregister_yield();
  let timer: ReturnType<typeof setTimeout> | undefined;
  core.yield = (milliseconds, tick) => {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    if (milliseconds <= 0) {
      next(() => slice(core, tick, failed));
      return;
    }
    timer = setTimeout(
      () => {
        timer = undefined;
        slice(core, tick, failed);
      },
      Math.max(1, Math.ceil(milliseconds)),
    );
  };
};

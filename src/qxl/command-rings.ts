import { QxlInterrupt } from "../protocol/index.ts";
import type { QxlSink } from "./bus.ts";
import type { CommandProcessor } from "./command-processor.ts";
import type { InterruptLine } from "./interrupts.ts";
import { MAX_FORCED_BYTES } from "./limits.ts";
import type { CommandRing, RamHeader } from "./ram-header.ts";

export interface CommandRingsOptions {
  readonly ram: RamHeader;
  readonly processor: CommandProcessor;
  readonly sink: QxlSink;
  readonly interrupts: InterruptLine;
}

/** Takes commands out of the two rings that the guest fills, as long as the red worker has credit for them. */
export class CommandRings {
  readonly #options: CommandRingsOptions;

  constructor(options: CommandRingsOptions) {
    this.#options = options;
  }

  /**
   * Empties both rings as far as there is credit, and something left of the slice.
   * @param force goes on without credit, up to MAX_FORCED_BYTES, and for more than a slice, up to MAX_FORCED_COST: the guest waits inside
   *   a synchronous I/O command. The slice counts as used up then.
   * @returns whether they are empty and nothing is laid aside
   */
  drain(force: boolean): boolean {
    const { processor } = this.#options;
    if (!force) return this.#drainBoth(false);
    processor.refill(true);
    const drained = this.#drainBoth(true);
    processor.meter.left = 0;
    return drained;
  }

  #drainBoth(force: boolean): boolean {
    const { ram, processor } = this.#options;
    if (!processor.goOn()) return false;
    const commands = this.#drain(ram.commands, QxlInterrupt.Display, force);
    const cursors = this.#drain(ram.cursors, QxlInterrupt.Cursor, force);
    return commands && cursors;
  }

  #drain(ring: CommandRing, interrupt: number, force: boolean): boolean {
    const { processor, sink, interrupts } = this.#options;
    // A full ring at most: a guest whose drawing rewrites the ring's indices must not hold us here.
    const limit = ring.size;
    for (let taken = 0; taken <= limit; taken++) {
      if (ring.isCorrupt) {
        // Which of its items were meant cannot be known: they are lost, and a driver that waits for room is told that there is some.
        processor.lose("ring: it holds more items than it has room for");
        ring.discard();
        interrupts.raise(interrupt);
      }
      if (ring.waiting === 0) {
        ring.requestNotification();
        return true;
      }
      const forced = force && sink.pendingBytes < MAX_FORCED_BYTES;
      if ((!sink.creditAvailable && !forced) || processor.meter.isSpent) return false;
      const { address, type, notify } = ring.pop();
      if (notify) interrupts.raise(interrupt);
      processor.process(address, type);
      if (!processor.goOn()) return false;
    }
    return true;
  }
}

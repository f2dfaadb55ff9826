/** How a machine's run can end, and the words for it. */

/**
 * `poweredOff`: the guest switched the machine off. `halted`: the processor stands still for ever, with interrupts off. `panicked`:
 * the guest's kernel gave up.
 */
export type MachineEnd = "poweredOff" | "halted" | "panicked";

/** The end of a machine's run. */
export interface EndedMachine {
  readonly end: MachineEnd;
  /** What the guest said about it, if it did: the reason of a panic. */
  readonly detail?: string;
}

/** One sentence for people: what happened. */
export const endWords = ({ end, detail }: EndedMachine): string => {
  if (end === "poweredOff") return "The machine is switched off.";
  if (end === "halted") return "The machine has halted: its processor stands still for good.";
  return `The guest's kernel has panicked${detail ? `: ${detail}` : ", it gave no reason"}.`;
};

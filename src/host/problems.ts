/** Words for what can go wrong, each with a way on. */
import type { ErrorCode, PlainError } from "../errors/index.ts";
import { ERRORS } from "../errors/index.ts";
import type { RefusedState } from "../machine/control.ts";
import type { StateRefusal } from "../state/errors.ts";
import type { EndedMachine } from "../machine/power/power.ts";
import { momentWords } from "./moment-words.ts";
import type { Problem } from "./state.ts";

/** What of a machine that stopped, or could not be started, has a title of its own. */
const GUEST_TITLES: Partial<Record<ErrorCode, string>> = {
  GUEST_FILES: "The guest could not be loaded",
  STATE_BUSY: "Another page still has the machine",
  OUT_OF_MEMORY: "There is too little memory for the machine",
};

/** The guest stopped or could not be started. */
export function guestProblem({ code, message }: PlainError): Problem {
  const title = GUEST_TITLES[code];
  return title === undefined
    ? { title: "The machine stopped", detail: message, remedy: "Boot it again." }
    : { title, detail: message, remedy: ERRORS[code].remedy };
}

/** A kept state was found and not used. The machine boots fresh, so nothing must be done. */
export function refusedStateProblem({ refusal, message }: RefusedState): Problem {
  const [title] = refusalWords(refusal);
  return {
    title,
    detail: message,
    remedy: "The machine boots from the beginning; saving again replaces the old state.",
  };
}

/** The newest state was passed over for the one before it, saved at `savedAt`, or for none. */
export function passedOverProblem(refused: RefusedState, savedAt: number | undefined): Problem {
  if (savedAt === undefined) return refusedStateProblem(refused);
  const [title, why] = refusalWords(refused.refusal);
  return {
    title,
    detail: `${refused.message}. This is the machine of ${momentWords(savedAt)}, saved before that.`,
    remedy: `Go on with it: the next save takes the place of the one that ${why}.`,
  };
}

function refusalWords(refusal: StateRefusal): readonly [title: string, why: string] {
  switch (refusal) {
    case "unfinished":
      return ["The last save was cut off", "was cut off"];
    case "damaged":
    case "truncated":
    case "format":
    case "content":
      return ["The last save is damaged", "is damaged"];
    default:
      return ["The kept state does not fit", "does not fit"];
  }
}

/** The guest has ended its machine's run. What was in its memory is gone; there is no disk. */
export function endedProblem({ end, detail }: EndedMachine, isKept: boolean): Problem {
  const title = {
    poweredOff: "The machine is switched off",
    halted: "The machine has halted",
    panicked: "The guest's kernel has panicked",
  }[end];
  const lost = "The machine has no disk: what was in its memory is gone";
  return {
    title,
    isNews: end !== "panicked",
    detail: detail ? `${detail}. ${lost}.` : `${lost}${isKept ? ", but what was saved is still there" : ""}.`,
    remedy: isKept
      ? "Boot it from the beginning, or go back to what was saved."
      : "Boot it from the beginning.",
  };
}

/** The machine boots although something is kept, since it was switched off after that. */
export function wasOffProblem(): Problem {
  return {
    title: "The machine was switched off",
    isNews: true,
    detail: "So it boots from the beginning. What was saved before that is still there.",
    remedy: "You can go back to it; the next save takes its place.",
  };
}

/** Saving failed; the earlier state is untouched. */
export function saveProblem({ code, message }: PlainError): Problem {
  return {
    title: "The state could not be saved",
    detail: message,
    remedy:
      code === "STORAGE_FULL"
        ? ERRORS.STORAGE_FULL.remedy
        : "What was saved before is still there. Try again.",
  };
}

/** The machine is left which a fault had stopped in the midst of its run. */
export function lostProblem({ detail }: Problem, savedAt: number | undefined): Problem {
  return {
    title: "The machine had been stopped by a fault, and was not saved",
    detail,
    remedy:
      savedAt === undefined
        ? "Nothing of it was kept: it boots anew."
        : `What was saved ${momentWords(savedAt)} is still there.`,
  };
}

/** The guest reads neither keyboard nor mouse. */
export function inputProblem(presses: number): Problem {
  return {
    title: "The machine does not read its keyboard",
    detail: `${presses} presses of keys or buttons were dropped, since it has left earlier ones unread for a minute.`,
    remedy: "Wait until it answers again, or restart it.",
  };
}

/** A worker died or never answered. */
export function threadProblem(name: string, reason: string): Problem {
  return {
    title: `The ${name} thread ended`,
    detail: reason,
    remedy: "Boot again makes new threads and goes on from the kept state.",
  };
}

/** A thread of the machine died, and another goes on from what was kept. */
export function restartedProblem(name: string, reason: string, savedAt: number | undefined): Problem {
  const machine =
    savedAt === undefined
      ? "The machine boots anew"
      : `The machine goes on as it was at ${new Date(savedAt).toLocaleTimeString()}`;
  return {
    title: `The ${name} thread ended, and a new one goes on`,
    detail: `${reason}. ${machine}; what was done in it since is lost. Viewers stay connected.`,
    remedy: "There is nothing to do.",
  };
}

/** A thread says nothing, though it lives. */
export function silentProblem(name: "guest" | "display" | "core"): Problem {
  const loss =
    name === "guest"
      ? "what was done in the machine since it was last saved would be lost"
      : "nothing is lost";
  return {
    title: `The ${name} thread does not answer`,
    detail: `It is busy, or it hangs. If it stays so, another one takes its place by itself; ${loss} by that.`,
    remedy: "Wait a moment.",
  };
}

/** Nobody is there to give the configuration; the page waits for whoever starts it. */
export function absentServerProblem(reason: string): Problem {
  return {
    title: "The server of this page is not there",
    detail: reason,
    remedy: "Start it with npm start. This page loads itself again as soon as it answers.",
  };
}

/** The server did not give the configuration. */
export function configProblem(reason: string): Problem {
  return {
    title: "This page cannot host the machine",
    detail: reason,
    remedy: "Is spicetab still running? Open the address that its terminal shows.",
  };
}

/** `before` where `now` says the same: a problem that goes on is not another one. */
export function unlessEqual(before: Problem | undefined, now: Problem | undefined): Problem | undefined {
  const isEqual = before?.title === now?.title && before?.detail === now?.detail;
  return isEqual ? before : now;
}

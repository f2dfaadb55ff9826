import type { Dispatcher } from "../dispatch/index.ts";
import type { GuestControlEvents, GuestControlMessages } from "../machine/control.ts";
import type { EndedMachine } from "../machine/power/power.ts";
import { plainError } from "../errors/index.ts";
import {
  applyMarker,
  coldBootSteps,
  describeBytes,
  enterStep,
  failStep,
  finishSteps,
  restoreSteps,
} from "./boot-steps.ts";
import type { HostStore } from "./host-store.ts";
import type { KeyboardChoice } from "./keyboard-choice.ts";
import { FIRMWARE_POLL_MS } from "./limits.ts";
import type { MachineSaves } from "./machine-saves.ts";
import type { PowerMark } from "./power-mark.ts";
import { endedProblem, guestProblem, passedOverProblem, wasOffProblem } from "./problems.ts";
import type { Problem } from "./state.ts";

const MAKERS_OF_LINUX_SAY = "Linux version";

/** What a run needs of the host around it. */
export interface MachineRunOptions {
  readonly store: HostStore;
  readonly powerMark: PowerMark;
  readonly saves: MachineSaves;
  readonly keyboard: KeyboardChoice;
  /** The guest's thread. @throws if this tab has no machine */
  guest(): Pick<Dispatcher<GuestControlMessages>, "call">;
  /** The guest's driver shows something on that display. */
  displayWanted(display: number): void;
  /** Milliseconds between two looks at the serial console. @default {@link FIRMWARE_POLL_MS} */
  readonly firmwarePollMs?: number;
}

/** A machine's way from its boot to its end, as the page shows it: what the guest's thread tells becomes phases and steps. */
export class MachineRun implements Disposable {
  readonly #options: MachineRunOptions;
  /** A boot was asked for and has not begun to run. */
  #isStarting = false;
  /** What a person asked for while a machine was being started: done as soon as that has come to something. */
  #next: (() => void) | undefined;
  #firmwareTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: MachineRunOptions) {
    this.#options = options;
  }

  get #store(): HostStore {
    return this.#options.store;
  }

  get isStarting(): boolean {
    return this.#isStarting;
  }

  /** Has it done now, or once the boot under way has come to something; of several wishes the last one counts. */
  whenStarted(action: () => void): void {
    if (this.#isStarting) this.#next = action;
    else action();
  }

  /** A boot was asked for. */
  begins(): void {
    this.#isStarting = true;
    const steps = enterStep(coldBootSteps(this.#store.state.level), "download");
    this.#store.update({ phase: "booting", steps, problem: undefined, ended: undefined });
  }

  /** It does not go on. */
  fail(problem: Problem): void {
    this.#stop();
    const { snapshot, steps } = this.#store.state;
    this.#store.update({
      phase: "failed",
      steps: failStep(steps),
      problem,
      snapshot: { ...snapshot, busy: "none" },
    });
    this.#doNext();
  }

  #stop(): void {
    this.#isStarting = false;
    this.#firmwareEnds();
  }

  #firmwareEnds(): void {
    clearInterval(this.#firmwareTimer);
    this.#firmwareTimer = undefined;
  }

  /** Its threads are gone. What waits for its start still waits. */
  [Symbol.dispose](): void {
    this.#stop();
  }

  /** What the guest's thread tells. */
  readonly events = {
    progress: ({ stage, done, total }) => {
      if (stage === "state") {
        const [step] = restoreSteps();
        const progress = total > 0 ? done / total : undefined;
        const detail = describeBytes(total, total);
        this.#store.update({ phase: "restoring", steps: [{ ...step, progress, detail }] });
      } else if (stage === "kernel" && this.#store.state.phase === "booting") {
        const progress = { progress: done / total, detail: describeBytes(done, total) };
        this.#store.update({ steps: enterStep(this.#store.state.steps, "download", progress) });
      }
    },
    booted: (booted) => this.#booted(booted),
    displayWanted: ({ display }) => this.#options.displayWanted(display),
    marker: ({ name }) => {
      if (this.#options.keyboard.marker(name)) return;
      this.#firmwareEnds();
      const steps = applyMarker(this.#store.state.steps, name);
      this.#store.update(name === "ready" ? { steps, phase: "running" } : { steps });
      if (name === "ready") this.#options.keyboard.booted();
    },
    stateChanged: ({ state, error, ended }) => {
      const { phase } = this.#store.state;
      if (ended) this.#end(ended);
      // Somebody at a client has pressed the power button.
      else if (state === "starting" && phase === "ended") this.begins();
      else if (state === "failed") this.fail(guestProblem(error ?? plainError("it gave no reason")));
      else if (state === "paused") this.#store.update({ phase: "paused" });
      else if (state === "running" && phase === "paused") this.#store.update({ phase: "running" });
    },
    rebooted: () => {
      this.#store.update({ problem: undefined, ended: undefined });
      this.#firmwareRuns(undefined);
    },
  } satisfies Partial<GuestControlEvents>;

  #booted({ restored, savedAt, refused, saved }: Parameters<GuestControlEvents["booted"]>[0]): void {
    const { powerMark, saves, keyboard } = this.#options;
    this.#isStarting = false;
    if (saved) saves.show(saved);
    const wasOff = saved !== undefined && !restored && powerMark.isOff(this.#store.state.level);
    let problem = wasOff ? wasOffProblem() : undefined;
    if (refused) problem = passedOverProblem(refused, savedAt);
    if (restored) {
      const { steps, snapshot } = this.#store.state;
      this.#store.update({
        phase: "running",
        steps: finishSteps(steps),
        snapshot: { ...snapshot, busy: "none", problem },
      });
      void keyboard.apply().catch(() => {});
    } else this.#firmwareRuns(problem);
    this.#doNext();
  }

  #firmwareRuns(problem: Problem | undefined): void {
    const { level, snapshot } = this.#store.state;
    const steps = enterStep(coldBootSteps(level), "firmware");
    this.#store.update({ phase: "booting", steps, snapshot: { ...snapshot, busy: "none", problem } });
    this.#firmwareEnds();
    // Nobody says when the BIOS hands over: the kernel's first line on the serial console does.
    const timer = setInterval(() => {
      this.#serialText()
        .then((text) => {
          if (!text.includes(MAKERS_OF_LINUX_SAY) || timer !== this.#firmwareTimer) return;
          this.#firmwareEnds();
          this.#store.update({ steps: enterStep(this.#store.state.steps, "kernel") });
        })
        .catch(() => clearInterval(timer));
    }, this.#options.firmwarePollMs ?? FIRMWARE_POLL_MS);
    this.#firmwareTimer = timer;
  }

  async #serialText(): Promise<string> {
    return this.#options.guest().call("serialText", {});
  }

  /** The guest's run is over; somebody who switched the machine off does not expect to find it as it was before. */
  #end(ended: EndedMachine): void {
    this.#firmwareEnds();
    const { level, snapshot, steps } = this.#store.state;
    if (ended.end !== "panicked") this.#options.powerMark.set(level, true);
    const problem = endedProblem(ended, snapshot.savedAt !== undefined);
    this.#store.update({ phase: "ended", ended, steps: finishSteps(steps), problem });
  }

  #doNext(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}

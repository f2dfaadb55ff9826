import type { BootStep } from "./state.ts";

/** The way of a cold boot, in order, as [id, label]. */
const DESKTOP_STEPS = [
  ["download", "Download"],
  ["firmware", "BIOS"],
  ["kernel", "Kernel"],
  ["system", "System"],
  ["display", "X server"],
  ["desktop", "Desktop"],
] as const;

const CONSOLE_STEPS = [
  ["download", "Download"],
  ["firmware", "BIOS"],
  ["kernel", "Kernel"],
  ["system", "System"],
] as const;

/** What a boot marker of the guest's init (src/machine/devices/serial-log.ts) says: that step is under way now. */
const STEP_OF_MARKER: Readonly<Record<string, string>> = {
  init: "system",
  modules: "system",
  udev: "display",
  x: "desktop",
  wm: "desktop",
  apps: "desktop",
};

/** The steps of a cold boot, none begun. */
export function coldBootSteps(level: string): readonly BootStep[] {
  const steps = level === "console" ? CONSOLE_STEPS : DESKTOP_STEPS;
  return steps.map(([id, label]) => ({ id, label, state: "waiting" }));
}

/** The single step of a restored machine. */
export function restoreSteps(): readonly BootStep[] {
  return [{ id: "restore", label: "Restoring the saved machine", state: "active" }];
}

/** That step is under way: those before it are done. An unknown or earlier step changes nothing. */
export function enterStep(
  steps: readonly BootStep[],
  id: string,
  progress?: { progress?: number; detail?: string },
): readonly BootStep[] {
  const at = steps.findIndex((step) => step.id === id);
  if (at < 0 || steps[at].state === "done") return steps;
  return steps.map((step, i) => {
    if (i < at) return { id: step.id, label: step.label, state: "done" };
    return i === at ? { id: step.id, label: step.label, state: "active", ...progress } : step;
  });
}

/** What a boot marker changes. "ready" ends the boot. */
export function applyMarker(steps: readonly BootStep[], marker: string): readonly BootStep[] {
  if (marker === "ready") return finishSteps(steps);
  const id = STEP_OF_MARKER[marker];
  return id === undefined ? steps : enterStep(steps, id);
}

export function finishSteps(steps: readonly BootStep[]): readonly BootStep[] {
  return steps.map(({ id, label }) => ({ id, label, state: "done" }));
}

/** The step under way did not work. */
export function failStep(steps: readonly BootStep[]): readonly BootStep[] {
  return steps.map((step) => (step.state === "active" ? { ...step, state: "failed" } : step));
}

export function isBooting(steps: readonly BootStep[]): boolean {
  return steps.some(({ state }) => state !== "done");
}

/** "12.4 of 58.0 MB". */
export function describeBytes(done: number, total: number): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return `${megabytes(done)} of ${megabytes(total)} MB`;
}

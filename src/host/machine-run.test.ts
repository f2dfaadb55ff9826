import { expect, test } from "vitest";
import type { SavedInfo } from "../machine/control.ts";
import { eventually } from "../waiting.testing.ts";
import { TestGuestThread } from "./guest-thread.testing.ts";
import { HostStore } from "./host-store.ts";
import { KeyboardChoice } from "./keyboard-choice.ts";
import { MachineRun } from "./machine-run.ts";
import { MachineSaves } from "./machine-saves.ts";
import { PowerMark } from "./power-mark.ts";

const SAVED: SavedInfo = { store: "OPFS", bytes: 1, savedAt: 5, tookMs: 1 };
const BOOTED = { level: "desktop", buildId: "", restored: false } as const;

function setUp() {
  const store = new HostStore();
  const serial = { text: "SeaBIOS" };
  const guest = new TestGuestThread({ serialText: () => serial.text });
  const marks = new Map<string, string>();
  const powerMark = new PowerMark({
    getItem: (key) => marks.get(key) ?? null,
    setItem: (key, value) => void marks.set(key, value),
    removeItem: (key) => void marks.delete(key),
  });
  const wanted: number[] = [];
  const parts = { store, powerMark, guest: () => guest.dispatcher };
  const keyboard = new KeyboardChoice(store, parts.guest);
  const saves = new MachineSaves({ ...parts, onProgress: () => {} });
  const run = new MachineRun({
    ...parts,
    keyboard,
    saves,
    displayWanted: (display) => wanted.push(display),
    firmwarePollMs: 1,
  });
  return {
    store,
    guest,
    powerMark,
    run,
    serial,
    wanted,
    /** The step under way. */
    step: () => store.state.steps.find(({ state }) => state === "active")?.id,
    [Symbol.dispose]() {
      run[Symbol.dispose]();
      guest[Symbol.dispose]();
    },
  };
}

test("a cold boot goes through its steps: the kernel's first line ends the firmware, markers tell the rest", async () => {
  using host = setUp();
  const { run, store, serial, step } = host;
  run.begins();
  expect([store.state.phase, run.isStarting, step()]).toEqual(["booting", true, "download"]);
  run.events.progress({ stage: "kernel", done: 1_000_000, total: 4_000_000 });
  expect(store.state.steps[0]).toMatchObject({ progress: 0.25, detail: "1.0 of 4.0 MB" });
  run.events.booted(BOOTED);
  expect([run.isStarting, step()]).toEqual([false, "firmware"]);
  await eventually(() => host.guest.names.length > 1);
  expect(step()).toBe("firmware");
  serial.text += "\nLinux version 6.1";
  await eventually(() => step() === "kernel");
  for (const [marker, shown] of [
    ["init", "system"],
    ["udev", "display"],
    ["x", "desktop"],
  ] as const) {
    run.events.marker({ name: marker });
    expect(step()).toBe(shown);
  }
  run.events.marker({ name: "ready" });
  expect([store.state.phase, step()]).toEqual(["running", undefined]);
});

test("once the kernel is there, nobody looks at the serial console any more, whatever it says late", async () => {
  using host = setUp();
  host.run.begins();
  host.run.events.booted(BOOTED);
  await eventually(() => host.guest.names.length > 0);
  host.run.fail({ title: "no", detail: "" });
  const { steps } = host.store.state;
  host.serial.text = "Linux version 6.1";
  await host.guest.dispatcher.call("pause", {});
  expect(host.store.state.steps).toBe(steps);
  expect(steps.find(({ state }) => state === "failed")?.id).toBe("firmware");
});

test("a machine that was kept runs at once, and says what is kept", () => {
  using host = setUp();
  const { run, store } = host;
  run.begins();
  run.events.progress({ stage: "state", done: 1, total: 2 });
  expect(store.state).toMatchObject({ phase: "restoring", steps: [{ id: "restore", progress: 0.5 }] });
  run.events.booted({ ...BOOTED, restored: true, savedAt: 5, saved: SAVED });
  expect(store.state).toMatchObject({ phase: "running", snapshot: { busy: "none", savedAt: 5 } });
  expect(store.state.snapshot.problem).toBeUndefined();
});

test("a state that was passed over is told of, and so is a machine that boots since it was switched off", () => {
  using host = setUp();
  const { run, store, powerMark } = host;
  const refused = { refusal: "damaged", message: "its digest is wrong" } as const;
  run.events.booted({ ...BOOTED, restored: true, savedAt: 5, refused });
  expect(store.state.snapshot.problem?.title).toBe("The last save is damaged");
  powerMark.set("desktop", true);
  run.events.booted({ ...BOOTED, saved: SAVED });
  expect(store.state.snapshot.problem?.title).toBe("The machine was switched off");
  powerMark.set("desktop", false);
  run.events.booted({ ...BOOTED, saved: SAVED });
  expect(store.state.snapshot.problem).toBeUndefined();
});

test("an end is shown as what it was; who switched the machine off finds it off, who met a panic does not", () => {
  using host = setUp();
  const { run, store, powerMark } = host;
  run.events.stateChanged({ state: "ended", ended: { end: "panicked" } });
  expect([store.state.phase, powerMark.isOff("desktop")]).toEqual(["ended", false]);
  run.events.stateChanged({ state: "ended", ended: { end: "poweredOff" } });
  expect(powerMark.isOff("desktop")).toBe(true);
  expect(store.state).toMatchObject({ phase: "ended", problem: { title: "The machine is switched off" } });
  // The power button, pressed at a client.
  run.events.stateChanged({ state: "starting" });
  expect([store.state.phase, store.state.ended, store.state.problem]).toEqual([
    "booting",
    undefined,
    undefined,
  ]);
});

test("pausing and going on change a machine that runs, and nothing else", () => {
  using host = setUp();
  const { run, store } = host;
  store.update({ phase: "booting" });
  run.events.stateChanged({ state: "running" });
  expect(store.state.phase).toBe("booting");
  run.events.stateChanged({ state: "paused" });
  expect(store.state.phase).toBe("paused");
  run.events.stateChanged({ state: "running" });
  expect(store.state.phase).toBe("running");
});

test("what is wished for during a start is done when that has come to something, the last wish only", () => {
  using host = setUp();
  const { run } = host;
  const done: string[] = [];
  run.whenStarted(() => done.push("at once"));
  run.begins();
  run.whenStarted(() => done.push("first"));
  run.whenStarted(() => done.push("second"));
  expect(done).toEqual(["at once"]);
  run.fail({ title: "no", detail: "" });
  expect(done).toEqual(["at once", "second"]);
  run.events.booted(BOOTED);
  expect(done).toEqual(["at once", "second"]);
});

test("a guest that fails without a word is told of all the same; a reboot takes old words away", () => {
  using host = setUp();
  const { run, store, wanted, step } = host;
  run.begins();
  run.events.stateChanged({ state: "failed" });
  expect(store.state).toMatchObject({ phase: "failed", problem: { title: "The machine stopped" } });
  run.events.rebooted();
  expect([store.state.phase, store.state.problem, step()]).toEqual(["booting", undefined, "firmware"]);
  run.events.displayWanted({ display: 1 });
  expect(wanted).toEqual([1]);
});

import { expect, test } from "vitest";
import type { Handlers } from "../dispatch/index.ts";
import { CodedError } from "../errors/index.ts";
import type { GuestControlMessages, SavedInfo } from "../machine/control.ts";
import { eventually } from "../waiting.testing.ts";
import { TestGuestThread } from "./guest-thread.testing.ts";
import { HostStore } from "./host-store.ts";
import { UNLOAD_SAVE_MARGIN_MS, UNLOAD_SAVE_MAX_MS } from "./limits.ts";
import { MachineSaves } from "./machine-saves.ts";
import { PowerMark } from "./power-mark.ts";

const SAVED: SavedInfo = { store: "OPFS", bytes: 1_000, savedAt: 5, earlier: 3, tookMs: 200 };

class Full extends CodedError {
  override readonly name = "Full";
  readonly code = "STORAGE_FULL";
}

function setUp(answers: Partial<Handlers<GuestControlMessages>> = {}) {
  const store = new HostStore();
  const guest = new TestGuestThread(answers);
  const marks = new Map<string, string>();
  const powerMark = new PowerMark({
    getItem: (key) => marks.get(key) ?? null,
    setItem: (key, value) => void marks.set(key, value),
    removeItem: (key) => void marks.delete(key),
  });
  const seen = { progress: 0, looks: 0 };
  const saves = new MachineSaves({
    store,
    powerMark,
    guest: () => guest.dispatcher,
    onProgress: () => seen.progress++,
    now: () => 10 * seen.looks++,
  });
  store.update({ phase: "running" });
  return { store, guest, powerMark, saves, seen, [Symbol.dispose]: () => guest[Symbol.dispose]() };
}

test("a save says that it is under way, then what is kept; a machine that was off is not any more", async () => {
  using host = setUp({ save: () => SAVED });
  const { store, saves, powerMark } = host;
  powerMark.set("desktop", true);
  const saving = saves.save();
  expect(store.state.snapshot.busy).toBe("saving");
  await saving;
  expect(store.state.snapshot).toMatchObject({
    busy: "none",
    savedAt: 5,
    earlier: 3,
    bytes: 1_000,
    store: "OPFS",
  });
  expect(powerMark.isOff("desktop")).toBe(false);
});

test("one that fails leaves what was kept, says why, and fails for its caller; a full disk has its own way on", async () => {
  using host = setUp({
    save: () => {
      throw new Full("no room");
    },
  });
  const { store, saves } = host;
  saves.show(SAVED);
  await expect(saves.save()).rejects.toThrow("no room");
  expect(store.state.snapshot).toMatchObject({ busy: "none", savedAt: 5, problem: { detail: "no room" } });
  expect(store.state.snapshot.problem?.remedy).not.toContain("Try again");
  // The next one begins without these words.
  void saves.save().catch(() => {});
  expect(store.state.snapshot.problem).toBeUndefined();
});

test("nothing new to save ends the saving and changes nothing of what is shown", async () => {
  using host = setUp({ save: () => undefined });
  host.saves.show(SAVED);
  await host.saves.save({ unlessCurrent: true });
  expect(host.store.state.snapshot).toMatchObject({ busy: "none", savedAt: 5 });
  expect(host.guest.asked).toEqual([{ type: "save", payload: { unlessCurrent: true } }]);
});

test("saves that the guest's thread makes itself are shown, and let others wait", () => {
  using host = setUp();
  const { store, saves, seen } = host;
  store.setSnapshot({ problem: { title: "old", detail: "" } });
  saves.events.saving({ done: 0, total: 4 });
  expect(store.state.snapshot).toMatchObject({ busy: "saving", progress: 0, problem: undefined });
  saves.events.saving({ done: 3, total: 4 });
  expect(store.state.snapshot.progress).toBe(0.75);
  expect(seen.progress).toBe(2);
  saves.events.unsaved({ unsaved: true });
  saves.events.saved(SAVED);
  expect(store.state.snapshot).toMatchObject({
    busy: "none",
    progress: undefined,
    savedAt: 5,
    unsaved: true,
  });
  saves.events.saveFailed({ error: { name: "Error", code: "STORAGE_FULL", message: "no room" } as never });
  expect(store.state.snapshot.problem?.detail).toBe("no room");
});

test("whoever leaves a machine that runs or is paused has it saved, and hears if that failed; another has nothing to lose", async () => {
  let fails = false;
  using host = setUp({
    save: () => {
      if (fails) throw new Full("no room");
      return SAVED;
    },
  });
  const { store, saves, guest } = host;
  for (const phase of ["starting", "booting", "failed", "ended", "elsewhere"] as const) {
    store.update({ phase });
    expect(await saves.beforeLeaving()).toBeUndefined();
  }
  expect(guest.names).toEqual([]);
  store.update({ phase: "paused" });
  expect(await saves.beforeLeaving()).toBeUndefined();
  fails = true;
  store.update({ phase: "running" });
  expect(await saves.beforeLeaving()).toMatchObject({ detail: "no room" });
  expect(guest.asked.every(({ payload }) => (payload as { unlessCurrent?: boolean }).unlessCurrent)).toBe(
    true,
  );
});

test("a page that is left waits on the spot for what would be lost, three times what a save took and some more, and no longer", async () => {
  using host = setUp({ save: () => SAVED });
  const { store, saves, seen, guest } = host;
  saves.beforeUnload();
  expect([guest.names, seen.looks]).toEqual([[], 0]);
  // Unknown at first: as long as it may at most.
  store.setSnapshot({ unsaved: true });
  saves.beforeUnload();
  expect(10 * seen.looks).toBeGreaterThanOrEqual(UNLOAD_SAVE_MAX_MS);
  await eventually(() => store.state.snapshot.savedAt === 5);
  seen.looks = 0;
  // Another one under way is waited for as well, and not asked for again.
  store.setSnapshot({ unsaved: false, busy: "saving" });
  saves.beforeUnload();
  expect(10 * seen.looks).toBeGreaterThanOrEqual(3 * SAVED.tookMs + UNLOAD_SAVE_MARGIN_MS);
  expect(10 * seen.looks).toBeLessThan(UNLOAD_SAVE_MAX_MS);
  expect(guest.names).toEqual(["save"]);
});

test("a tab out of sight saves if there is something new; what fails then is told, and nothing is thrown", async () => {
  using host = setUp({
    save: () => {
      throw new Full("no room");
    },
  });
  host.saves.beforeHidden();
  await eventually(() => host.store.state.snapshot.problem?.detail === "no room");
  host.store.update({ phase: "paused" });
  host.saves.beforeHidden();
  expect(host.guest.names).toEqual(["save"]);
});

test("what is dropped is not shown any more; what could not be is still there", async () => {
  let fails = true;
  using host = setUp({
    forget: () => {
      if (fails) throw new Error("busy");
    },
  });
  const { store, saves, guest } = host;
  saves.show(SAVED);
  await expect(saves.forget()).rejects.toThrow("busy");
  expect(store.state.snapshot).toMatchObject({ busy: "none", savedAt: 5, problem: { detail: "busy" } });
  fails = false;
  await saves.forget();
  expect(store.state.snapshot).toMatchObject({ busy: "none", savedAt: undefined, bytes: undefined });
  expect(store.state.snapshot.problem).toBeUndefined();
  expect(guest.asked.at(-1)).toEqual({ type: "forget", payload: { level: "desktop" } });
});

test("whoever leaves a machine that a fault has stopped hears what is lost; one that failed at its start has lost nothing", async () => {
  using host = setUp();
  const { store, saves } = host;
  const problem = { title: "The machine stopped", detail: "unreachable", remedy: "Boot it again." };
  store.setSnapshot({ savedAt: new Date(2020, 1, 2).getTime() });
  const step = { id: "restore", label: "Restoring", state: "done" } as const;
  store.update({ phase: "failed", problem, steps: [step] });
  expect(await saves.beforeLeaving()).toEqual({
    title: "The machine had been stopped by a fault, and was not saved",
    detail: "unreachable",
    remedy: expect.stringMatching(/^What was saved .*2020.* is still there\.$/),
  });
  store.setSnapshot({ savedAt: undefined });
  expect((await saves.beforeLeaving())?.remedy).toContain("boots anew");
  store.update({ steps: [{ ...step, state: "failed" }] });
  expect(await saves.beforeLeaving()).toBeUndefined();
});

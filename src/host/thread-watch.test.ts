import { expect, test } from "vitest";
import { HostStore } from "./host-store.ts";
import { WATCHDOG_INTERVAL_MS, WATCHDOG_REPLACE_MS, WATCHDOG_SILENT_MS } from "./limits.ts";
import { ThreadWatch } from "./thread-watch.ts";

/** Threads that answer when they are told to, and a clock that goes when it is told to. */
function setUp() {
  const store = new HostStore();
  let nowMs = 0;
  const watch = new ThreadWatch(store, () => nowMs);
  const answers = new Map<string, () => void>();
  const hung: string[] = [];
  return {
    store,
    watch,
    hung,
    add: (key: string, name: "core" | "display" | "guest", replaceMs?: number) =>
      watch.watch({
        key,
        name,
        question: () => new Promise<void>((resolve) => answers.set(key, resolve)),
        hangs: () => hung.push(key),
        replaceMs,
      }),
    pass(ms: number) {
      for (const end = nowMs + ms; nowMs < end;) {
        nowMs = Math.min(nowMs + WATCHDOG_INTERVAL_MS, end);
        watch.look();
      }
    },
    answer: async (key: string) => {
      answers.get(key)?.();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    /** They have answered once: they are not loading any more. */
    async begun(...keys: string[]) {
      this.pass(WATCHDOG_INTERVAL_MS);
      for (const key of keys) await this.answer(key);
    },
    title: () => store.state.problem?.title,
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

test("the page says which thread is silent, and takes it back when that answers", async () => {
  using host = setUp();
  host.add("core", "core");
  await host.begun("core");
  host.pass(WATCHDOG_INTERVAL_MS + WATCHDOG_SILENT_MS);
  expect(host.title()).toBe("The core thread does not answer");
  await host.answer("core");
  expect([host.title(), host.hung]).toEqual([undefined, []]);
});

test("what else went wrong meanwhile is not taken back with it", async () => {
  using host = setUp();
  host.add("core", "core");
  await host.begun("core");
  host.pass(WATCHDOG_INTERVAL_MS + WATCHDOG_SILENT_MS);
  host.store.update({ problem: { title: "Something else", detail: "" } });
  await host.answer("core");
  expect(host.title()).toBe("Something else");
});

test("each hangs by its own measure", async () => {
  using host = setUp();
  host.add("red 0", "display");
  host.add("guest", "guest", 3 * WATCHDOG_REPLACE_MS);
  await host.begun("red 0", "guest");
  host.pass(WATCHDOG_INTERVAL_MS + WATCHDOG_REPLACE_MS);
  expect(host.hung).toEqual(["red 0"]);
  host.pass(2 * WATCHDOG_REPLACE_MS);
  expect(host.hung).toEqual(["red 0", "guest"]);
  expect(host.title()).toBeUndefined();
});

test("a thread in the place of another is asked in its place, and nobody any more once the watch is over", () => {
  using host = setUp();
  host.add("red 0", "display");
  host.pass(WATCHDOG_REPLACE_MS);
  host.add("red 0", "display");
  host.pass(WATCHDOG_REPLACE_MS);
  expect(host.hung).toEqual([]);
  host.watch[Symbol.dispose]();
  host.pass(WATCHDOG_REPLACE_MS);
  expect(host.hung).toEqual([]);
});

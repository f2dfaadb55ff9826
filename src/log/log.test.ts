import { expect, onTestFinished, test, vi } from "vitest";
import { GatheredLog } from "./gathered-log.ts";
import { LOG_BURST, LOG_ENTRIES, LOG_INTERVAL_MS, LOG_MESSAGE_CHARS, LOG_TELL_MS } from "./limits.ts";
import type { LogEntry } from "./log.ts";
import { failureLogger } from "./log.ts";
import { LogRing } from "./log-ring.ts";

function ring() {
  const clock = { at: 1_000 };
  return { clock, log: new LogRing({ now: () => clock.at }) };
}

const short = (entries: readonly LogEntry[]) => entries.map(({ message, count }) => `${message} x${count}`);

test("the same message counts on, and is the newest again", () => {
  const { clock, log } = ring();
  log.log("warning", "qxl", "a");
  log.log("warning", "qxl", "b");
  clock.at = 1_500;
  log.log("warning", "qxl", "a");
  log.log("info", "qxl", "a");
  expect(short(log.entries)).toEqual(["b x1", "a x2", "a x1"]);
  expect(log.entries[1]).toEqual({ level: "warning", domain: "qxl", message: "a", count: 2, at: 1_500 });
});

test("whoever floods is counted: its words are not even made, and nobody else's are lost", () => {
  const { clock, log } = ring();
  log.log("critical", "red", "what matters");
  let made = 0;
  const flood = 100_000;
  for (let i = 0; i < flood; i++) log.log("message", "qxl-driver", () => `line ${made++}`);
  expect(made).toBe(LOG_BURST);
  expect(log.entries).toHaveLength(1 + LOG_BURST + 1);
  expect(short(log.entries)).toContain("what matters x1");
  expect(short(log.entries).at(-1)).toBe(`more was said than is kept x${flood - LOG_BURST}`);
  clock.at += LOG_INTERVAL_MS;
  log.log("message", "qxl-driver", () => `line ${made++}`);
  expect(made).toBe(LOG_BURST + 1);
  // A clock that is put back silences nobody.
  clock.at = 0;
  log.log("message", "qxl-driver", () => `line ${made++}`);
  expect(made).toBe(LOG_BURST + 2);
});

test("it keeps the newest entries of each domain, each within its length", () => {
  const { clock, log } = ring();
  log.log("critical", "core", "what matters");
  for (let i = 0; i < 2 * LOG_ENTRIES; i++) {
    clock.at += LOG_INTERVAL_MS;
    log.log("info", "reds", `${i} `.padEnd(10_000, "x"));
  }
  const [first, oldest] = log.entries;
  expect(first.message).toBe("what matters");
  expect(log.entries).toHaveLength(1 + LOG_ENTRIES);
  expect(oldest.message).toMatch(new RegExp(`^${LOG_ENTRIES} `));
  expect(oldest.message).toHaveLength(LOG_MESSAGE_CHARS);
});

test("what is new is told together, again when it counts on, and kept for whoever comes", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const told: string[][] = [];
  let isThere = true;
  using log = new LogRing({
    now: () => 1,
    tell: (entries) => {
      if (isThere) told.push(short(entries));
      return isThere;
    },
  });
  log.log("info", "reds", "a");
  log.log("info", "reds", "b");
  vi.advanceTimersByTime(LOG_TELL_MS - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  log.log("info", "reds", "a");
  vi.advanceTimersByTime(LOG_TELL_MS);
  isThere = false;
  log.log("info", "reds", "c");
  vi.advanceTimersByTime(LOG_TELL_MS);
  isThere = true;
  log.log("info", "reds", "d");
  vi.advanceTimersByTime(LOG_TELL_MS);
  expect(told).toEqual([["a x1", "b x1"], ["a x2"], ["c x1", "d x1"]]);
  log.tellAll();
  vi.advanceTimersByTime(LOG_TELL_MS);
  expect(told.at(-1)).toEqual(["b x1", "a x2", "c x1", "d x1"]);
  vi.advanceTimersByTime(10 * LOG_TELL_MS);
  expect(told).toHaveLength(4);
});

test("the page has all threads' lines, the newest first, also of a thread that another took the place of", () => {
  const gathered = new GatheredLog();
  const entry = (message: string, at: number, count = 1): LogEntry => ({
    level: "warning",
    domain: "red",
    message,
    count,
    at,
  });
  const first = gathered.from("red");
  first([entry("a", 1), entry("b", 2)]);
  first([entry("a", 4, 2)]);
  gathered.from("red")([entry("a", 3)]);
  gathered.from("core")([entry("c", 5)]);
  expect(gathered.lines.map(({ thread, message, count }) => `${thread} ${message} x${count}`)).toEqual([
    "core c x1",
    "red a x2",
    "red a x1",
    "red b x1",
  ]);
  const flood = gathered.from("guest");
  for (let i = 0; i < 2 * LOG_ENTRIES; i++) flood([entry(`${i}`, i)]);
  expect(gathered.lines).toHaveLength(4 + LOG_ENTRIES);
});

test("a handler's failure is a line with the message's name", () => {
  const { log } = ring();
  failureLogger(log)("connect", new RangeError("no such channel"));
  expect(log.entries[0]).toMatchObject({ level: "warning", message: '"connect" failed: no such channel' });
});

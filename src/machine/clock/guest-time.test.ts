import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GuestTime } from "./guest-time.ts";
import { GUEST_TIME_LATE_MS, GUEST_TIME_TRIES } from "../limits.ts";

const NOON = Date.UTC(2030, 0, 1, 12);

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const makeTime = () => {
  const sent: string[] = [];
  const port = {
    open: true,
    write: async (bytes: Uint8Array) => void sent.push(new TextDecoder().decode(bytes)),
  };
  const host = { wall: NOON + 400, running: true };
  const time = new GuestTime({ port, isRunning: () => host.running, wallNow: () => host.wall });
  const pass = (milliseconds: number) => {
    host.wall += milliseconds;
    vi.advanceTimersByTime(milliseconds);
  };
  return { sent, port, host, time, pass };
};

test("the guest is told a second as it begins, in the guest agent's words", () => {
  const { sent, time, pass } = makeTime();
  using _ = time;
  time.tell();
  time.tell();
  pass(599);
  expect(sent).toEqual([]);
  pass(1);
  expect(sent).toEqual([`{"execute":"guest-set-time","arguments":{"time":${NOON + 1000}000000}}\n`]);
  expect(JSON.parse(sent[0])).toMatchObject({ execute: "guest-set-time" });
  pass(5000);
  expect(sent.length).toBe(1);
});

test("a timer that is late waits for the next second, and is sent late rather than never", () => {
  const { sent, host, time } = makeTime();
  using _ = time;
  time.tell();
  for (let tries = 1; tries <= GUEST_TIME_TRIES; tries++) {
    expect(sent).toEqual([]);
    host.wall = NOON + tries * 1000 + GUEST_TIME_LATE_MS + 1;
    vi.runOnlyPendingTimers();
  }
  expect(sent.length).toBe(1);
});

test("nothing is sent to nobody, nor to a machine that stands still", () => {
  const { sent, port, host, time, pass } = makeTime();
  using _ = time;
  time.tell();
  port.open = false;
  pass(600);
  port.open = true;
  time.tell();
  host.running = false;
  pass(1000);
  expect(sent).toEqual([]);
  host.running = true;
  time.tell();
  pass(1000);
  expect(sent.length).toBe(1);
});

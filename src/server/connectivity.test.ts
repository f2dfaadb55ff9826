import { expect, test } from "vitest";
import type { ConnectivityReading } from "./connectivity.ts";
import { ConnectivityMonitor } from "./connectivity.ts";

const idle: ConnectivityReading = { received: 0, waiting: 0, taken: 0, blocked: false, pinging: false };

/** Which look found the client dead, or undefined. */
function death(readings: readonly ConnectivityReading[]): number | undefined {
  const monitor = new ConnectivityMonitor();
  const index = readings.findIndex((reading) => !monitor.look(reading));
  return index < 0 ? undefined : index;
}

test.each<[string, ConnectivityReading[], number | undefined]>([
  ["an idle client lives", [idle, idle, idle, idle], undefined],
  ["no PONG and not a byte", [idle, { ...idle, pinging: true }, { ...idle, pinging: true }], 2],
  [
    "a PONG is late, but other bytes came",
    [idle, { ...idle, pinging: true }, { ...idle, received: 1, pinging: true }, { ...idle, received: 2 }],
    undefined,
  ],
  [
    "its PONG waits with us, because others are before it",
    [
      idle,
      { ...idle, pinging: true },
      { ...idle, waiting: 22, pinging: true },
      { ...idle, waiting: 22, pinging: true },
    ],
    undefined,
  ],
  [
    "blocked, but what it said waits with us",
    [
      { ...idle, blocked: true },
      { ...idle, blocked: true, waiting: 6 },
    ],
    undefined,
  ],
  [
    "blocked and nothing moves",
    [
      { ...idle, blocked: true },
      { ...idle, blocked: true },
    ],
    1,
  ],
  [
    "blocked, but it takes bytes",
    [
      { ...idle, blocked: true },
      { ...idle, blocked: true, taken: 5 },
      { ...idle, blocked: true, taken: 6 },
    ],
    undefined,
  ],
  [
    "blocked, takes nothing, but talks",
    [
      { ...idle, blocked: true },
      { ...idle, blocked: true, received: 5 },
    ],
    undefined,
  ],
])("%s", (_what, readings, expected) => {
  expect(death(readings)).toBe(expected);
});

import { expect, test } from "vitest";
import { SERIAL_LINE_CHARS, SERIAL_TAIL_CHARS } from "../limits.ts";
import { parseBootMarker, SerialLog } from "./serial-log.ts";
import type { BootMarker } from "./serial-log.ts";

const write = (log: SerialLog, text: string) => {
  for (const character of text) log.push(character.charCodeAt(0));
};

test("markers are found in kernel log lines, with or without their time", () => {
  expect(parseBootMarker("[   11.188535] GUEST ready uptime=10.98")).toEqual({
    name: "ready",
    uptime: 10.98,
  });
  expect(parseBootMarker("GUEST late")).toEqual({ name: "late" });
  expect(parseBootMarker("GUEST READY")).toBeUndefined();
});

test("each line is looked at once, when it is complete", () => {
  const markers: BootMarker[] = [];
  const log = new SerialLog((marker) => void markers.push(marker));
  write(log, "hello\r\nGUEST init uptime=1");
  expect(markers).toEqual([]);
  write(log, ".5\r\n/ # ");
  expect(markers).toEqual([{ name: "init", uptime: 1.5 }]);
  expect(log.tail).toBe("hello\r\nGUEST init uptime=1.5\r\n/ # ");
});

test("a guest that never ends a line, or writes for ever, takes no memory", () => {
  const markers: BootMarker[] = [];
  const log = new SerialLog((marker) => void markers.push(marker));
  write(log, `${"x".repeat(SERIAL_LINE_CHARS)}GUEST ready\n`);
  expect(markers).toEqual([]);
  write(log, "y".repeat(3 * SERIAL_TAIL_CHARS));
  expect(log.tail).toBe("y".repeat(SERIAL_TAIL_CHARS));
});
